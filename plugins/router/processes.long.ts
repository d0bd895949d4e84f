/**
 * Long proof of model processes behind the router: run by `npm run test:long`. With `LLAMA_SERVER_PATH` and `GGUF_PATH` set against
 * a real llama-server, too.
 */
import { expect, test } from 'bun:test'
import { walkHouse } from './testing/random-house.ts'

test.each([1, 2, 3, 4, 5, 6])(
  'of 500 random steps nothing is left, stuck, started twice, or answered by another model (seed %d)',
  async seed => {
    const { wrong, ...counts } = await walkHouse(seed, 500, 30_000 + seed * 200)
    expect(wrong).toEqual([])
    expect(counts.answered).toBeGreaterThan(150)
    console.log(counts)
  },
  300_000,
)
