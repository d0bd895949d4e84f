import { expect, test } from 'bun:test'
import { median, percentile, spread } from './stats.ts'

test('percentiles are values that were measured, by nearest rank', () => {
  const values = Array.from({ length: 1000 }, (_, i) => i + 1)
  expect([0.5, 0.99, 0.999, 1, 0].map(p => percentile(values, p))).toEqual([500, 990, 999, 1000, 1])
  expect(percentile([7], 0.999)).toBe(7)
  expect(percentile([], 0.5)).toBe(0)
})

test('the median does not care for the order', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4, 1, 3, 2])).toBe(2)
})

test('the spread is half the range, as a share', () => {
  expect(spread([90, 100, 110])).toBeCloseTo(0.1)
})
