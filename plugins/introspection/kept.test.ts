import { expect, test } from 'bun:test'
import { keep } from './kept.ts'

test('a failed reload keeps what was known', async () => {
  let clock = 0
  let loads = 0
  const kept = keep({
    freshMs: 10,
    now: () => clock,
    load: async () => {
      if (++loads === 2) throw new Error('down')
      return loads
    },
  })
  expect(kept.peek()).toBeUndefined()
  expect(await kept.get()).toBe(1)
  clock = 10
  expect(kept.peek()).toEqual({ value: 1 })
  expect(await kept.get()).toBe(1)
  await new Promise(resolve => setImmediate(resolve))
  clock = 20
  expect(await kept.get()).toBe(1)
  await new Promise(resolve => setImmediate(resolve))
  expect(await kept.get()).toBe(3)
})

test('a failure is told until it is worth another try', async () => {
  let clock = 0
  let loads = 0
  const kept = keep({
    freshMs: 10,
    now: () => clock,
    load: async () => {
      if (++loads === 1) throw new Error('down')
      return loads
    },
  })
  await expect(kept.get()).rejects.toThrow('down')
  await new Promise(resolve => setImmediate(resolve))
  await expect(kept.get()).rejects.toThrow('down')
  expect(loads).toBe(1)
  clock = 10
  kept.peek()
  await new Promise(resolve => setImmediate(resolve))
  expect(await kept.get()).toBe(2)
})
