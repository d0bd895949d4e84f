/** The process that `churn.ts` runs. */
import { createMemory } from '../memory.ts'
import { randomOf } from './random.ts'

const [mode, inserts, largest] = process.argv.slice(2)
const mebibyte = 1024 * 1024
const total = 64 * mebibyte
const source = new Uint8Array(Number(largest)).fill(7)
const random = randomOf(1)
const limits = { maxEntries: 1e9, ttlMs: 3_600_000 }

async function insert(count: number, maxBytes: number) {
  const memory = createMemory({ ...limits, maxBytes })
  let peak = 0
  for (let i = 0; i < count; i++) {
    const body = source.subarray(0, Math.floor(100 * (source.length / 100) ** random()))
    memory.set(Bun.SHA256.hash(String(random()), 'hex'), { body, contentType: 'application/json' })
    if (memory.bytes > maxBytes) throw new Error(`${memory.bytes} bytes after ${i} inserts`)
    if (i % 1000 !== 0) continue
    peak = Math.max(peak, process.memoryUsage.rss())
    await Bun.sleep(0)
  }
  return { memory, peak }
}

async function settle(): Promise<number> {
  Bun.gc(true)
  await Bun.sleep(100)
  Bun.gc(true)
  return process.memoryUsage.rss()
}

await insert(100_000, mebibyte) // what the compiler and the allocator take once, they have now
const before = await settle()
const still = mode === 'still' ? Array.from({ length: 63 }, () => new Uint8Array(mebibyte).fill(1)) : []
const { memory, peak } = await insert(Number(inserts), total - still.length * mebibyte)
const counted = memory.bytes + still.length * mebibyte
const settled = (await settle()) - before
memory.limit({ ...limits, maxBytes: mebibyte })
console.log(JSON.stringify({ counted, peak: peak - before, settled, shrunk: (await settle()) - before }))
