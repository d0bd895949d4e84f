import { expect, test } from 'bun:test'
import { playSchedules } from './testing/schedules.ts'

test.each([
  ['64MB', 1],
  ['300KB', 1001],
])(
  '150 schedules of joiners and leavers, in %s: nobody hangs, nothing runs on, no byte is lost',
  async (maxBytes, seed) => {
    const { runs, shared } = await playSchedules(seed, 150, maxBytes)
    expect(runs).toBeGreaterThan(150)
    expect(shared).toBeGreaterThan(100)
  },
  60_000,
)
