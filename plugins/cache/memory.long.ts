/** Long proofs of the memory: run by `npm run test:long`. */
import { expect, test } from 'bun:test'
import { type Churned, churn } from './testing/churn.ts'

const limit = 64 * 1024 * 1024
const inMB = ({ settled, peak }: Churned) => `${(settled / 1e6).toFixed(1)} MB settled, ${(peak / 1e6).toFixed(1)} MB at most`

test.each([
  ['of 100 bytes to 64 KB', 64_000],
  ['of 100 to 600 bytes', 600],
])(
  'a million random inserts %s stay within 64 MiB and 10 %',
  async (_, largest) => {
    const inserts = 1_000_000
    const cache = await churn('cache', { inserts, largest })
    const still = await churn('still', { inserts, largest })
    console.log(`limit ${(limit / 1e6).toFixed(1)} MB · cache: ${inMB(cache)} · as much in buffers nobody touches: ${inMB(still)}`)
    expect(cache.counted).toBeLessThanOrEqual(limit)
    expect(cache.counted).toBeGreaterThan(0.95 * limit)
    expect(cache.settled).toBeLessThan(1.1 * limit)
    expect(cache.peak).toBeLessThan(still.peak + 0.1 * limit)
  },
  300_000,
)
