import { expect, test } from 'bun:test'
import { createEstimate } from './estimate.ts'

test('begins with the first value and follows the later ones', () => {
  const estimate = createEstimate()
  expect(estimate.value).toBeUndefined()
  estimate.add(100)
  expect(estimate.value).toBe(100)
  estimate.add(200)
  expect(estimate.value).toBe(130)
  for (let i = 0; i < 30; i++) estimate.add(500)
  expect(estimate.value).toBeCloseTo(500, 0)
})
