import { expect, test } from 'bun:test'
import { walk } from './testing/random-steps.ts'

/** The long form is in supervisor-steps.long.ts. */
test('150 random steps leave no orphan and no request stuck, and nobody is answered by another model', async () => {
  const report = await walk({ seed: 20, steps: 150 })
  expect(report).toMatchObject({ wrongAnswers: [], stuck: [], doubleStarts: [], overCap: [], orphans: [], notAnsweredInTheEnd: [] })
  expect(report.answered).toBeGreaterThan(10)
}, 120_000)
