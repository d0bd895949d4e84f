/** Long proofs of quotas: run by `npm run test:long`. */
import { expect, test } from 'bun:test'
import { runSchedule } from './testing/random-schedule.ts'

test('200 random schedules leave nothing behind', async () => {
  const sum = { whole: 0, refused: 0, failed: 0, left: 0 }
  for (let seed = 1000; seed < 1200; seed++) {
    const report = await runSchedule(seed, 200)
    expect([seed, report.wrong]).toEqual([seed, []])
    for (const name of ['whole', 'refused', 'failed', 'left'] as const) sum[name] += report[name]
  }
  console.log(`${sum.whole} whole, ${sum.refused} refused, ${sum.failed} failed, ${sum.left} left`)
}, 900_000)
