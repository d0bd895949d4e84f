import { expect, test } from 'bun:test'
import { createRestarts } from './restarts.ts'

const limits = { most: 4, windowMs: 60_000, firstMs: 1_000, longestMs: 3_000 }

test('waits longer each time, and gives up when it happens too often', () => {
  const next = createRestarts(limits, () => 0)
  expect([next(), next(), next(), next(), next()]).toEqual([1_000, 2_000, 3_000, 3_000, undefined])
})

test('forgets what was long ago', () => {
  let now = 0
  const next = createRestarts(limits, () => now)
  for (let i = 0; i < 4; i++) next()
  now = 59_999
  expect(next()).toBeUndefined()
  now = 60_000
  expect(next()).toBe(1_000)
})
