import { describe, expect, test } from 'bun:test'
import { walk } from './testing/random-steps.ts'
import { servers } from './testing/servers.ts'

const real = servers.find(({ isReal }) => isReal)
/** With SEED=… only that walk. */
const seeds = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: 15 }, (_, index) => index + 1)

test.skipIf(!process.env.REQUIRE_REAL)('there is a real llama-server', () => {
  expect(real?.name ?? 'LLAMA_SERVER_PATH and GGUF_PATH do not say where it is').toBe('a real llama-server')
})

describe.skipIf(!real)('a real llama-server', () => {
  test.each(seeds)(
    '500 random steps, seed %d',
    async seed => {
      const report = await walk({ seed, steps: 500, real })
      console.log(JSON.stringify({ seed, ...report }))
      expect(report).toMatchObject({ wrongAnswers: [], stuck: [], doubleStarts: [], overCap: [], orphans: [], notAnsweredInTheEnd: [] })
      expect(report.answered).toBeGreaterThan(30)
      expect(report.starts).toBeGreaterThan(10)
    },
    600_000,
  )
})
