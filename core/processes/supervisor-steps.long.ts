import { expect, test } from 'bun:test'
import { walk } from './testing/random-steps.ts'

/** With SEED=… only that walk. */
const seeds = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: 10 }, (_, index) => index + 1)

test.each(seeds)(
  '500 random steps, seed %d',
  async seed => {
    const report = await walk({ seed, steps: 500 })
    console.log(JSON.stringify({ seed, ...report }))
    expect(report).toMatchObject({ wrongAnswers: [], stuck: [], doubleStarts: [], overCap: [], orphans: [], notAnsweredInTheEnd: [] })
    expect(report.answered).toBeGreaterThan(30)
  },
  600_000,
)
