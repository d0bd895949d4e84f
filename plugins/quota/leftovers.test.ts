import { expect, test } from 'bun:test'
import { runSchedule } from './testing/random-schedule.ts'

test('whatever requests do, nothing stays set aside, and what is charged is what is reported', async () => {
  const sum = { whole: 0, refused: 0, failed: 0, left: 0 }
  for (let seed = 1; seed <= 6; seed++) {
    const report = await runSchedule(seed, 120)
    expect([seed, report.wrong]).toEqual([seed, []])
    for (const name of ['whole', 'refused', 'failed', 'left'] as const) sum[name] += report[name]
  }
  // each kind of end is among them
  for (const count of Object.values(sum)) expect(count).toBeGreaterThan(20)
}, 120_000)
