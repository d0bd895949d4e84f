/** The process that `churn.ts` runs. */
import type { Head } from '../../kept.ts'
import { randomOf } from '../../testing/random.ts'
import { type AnswerMemory, createMemory } from '../memory.ts'
import type { Recording } from '../recording.ts'

const [mode, inserts = '', largest = ''] = process.argv.slice(2)
const phases = largest.split(',').map(Number)
const mebibyte = 1024 * 1024
const total = 64 * mebibyte
const source = new Uint8Array(Math.max(mebibyte, ...phases)).fill(7)
const random = randomOf(1)
const limits = { maxEntries: 1e9, ttlMs: 3_600_000 }
const head: Head = { form: 'json', contentType: 'application/json', model: 'llama3.1:8b', tokens: 300, tookMs: 2000 }

interface Arriving {
  readonly recording: Recording
  readonly length: number
  /** How far somebody who reads along is. */
  readAt: number
}

/** As many answers arrive at the same time, in pieces of so many bytes. */
const atOnce = 8
const piece = 4000

/** Writes on at every answer that is arriving; somebody reads each of them, a bit later. */
function step(arriving: readonly Arriving[]): Arriving[] {
  return arriving.filter(one => {
    const { recording, length } = one
    const missing = Math.min(piece, length - recording.length)
    if (missing > 0) recording.append(source.subarray(0, missing))
    if (recording.length === length && random() < 0.9) recording.keep(randomKey(), head) // the others broke off at the end
    one.readAt += recording.read(one.readAt, Math.floor(2 * random() * piece)).length
    if (recording.length < length) return true
    recording.release()
    return false
  })
}

const randomKey = () => Bun.SHA256.hash(String(random()), 'hex')

async function insert(memory: AnswerMemory, count: number, longest: number, maxBytes: number) {
  let arriving: Arriving[] = []
  let peak = 0
  for (let i = 0; i < count; i++) {
    const length = Math.floor(100 * (longest / 100) ** random())
    if (random() < 0.7) memory.set(randomKey(), { body: source.subarray(0, length), head })
    else arriving.push({ recording: memory.record(), length, readAt: 0 })
    do arriving = step(arriving)
    while (arriving.length >= atOnce)
    if (memory.bytes > maxBytes) throw new Error(`${memory.bytes} bytes after ${i} inserts`)
    if (i % 1000 !== 0) continue
    peak = Math.max(peak, process.memoryUsage.rss())
    await Bun.sleep(0)
  }
  while (arriving.length > 0) arriving = step(arriving)
  return peak
}

/** The least of several looks: the allocator gives memory back some time after the collector did. */
async function settle(): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let look = 0; look < 4; look++) {
    Bun.gc(true)
    await Bun.sleep(50)
    least = Math.min(least, process.memoryUsage.rss())
  }
  return least
}

/** Recordings of twice as much as all the room, of which one half would be kept if it could. */
function burst(memory: AnswerMemory, maxBytes: number) {
  const recordings = Array.from({ length: (2 * maxBytes) / mebibyte }, () => memory.record())
  for (const recording of recordings) recording.append(source.subarray(0, mebibyte))
  for (const [i, recording] of recordings.entries()) {
    if (i % 2) recording.keep(randomKey(), head)
    recording.release()
  }
}

// what the compiler and the allocator take once, they have now
const warm = createMemory({ ...limits, maxBytes: mebibyte })
for (const longest of phases) await insert(warm, 100_000 / phases.length, longest, mebibyte)
burst(warm, mebibyte)
warm.clear()
const before = await settle()
const grownBy = async () => (await settle()) - before
const still = mode === 'still' ? Array.from({ length: 63 }, () => new Uint8Array(mebibyte).fill(1)) : []
const maxBytes = total - still.length * mebibyte
const memory = createMemory({ ...limits, maxBytes })
let peak = 0
let settled = 0
for (const longest of phases) {
  peak = Math.max(peak, await insert(memory, Number(inserts) / phases.length, longest, maxBytes))
  settled = Math.max(settled, await grownBy())
}
const counted = memory.bytes + still.length * mebibyte
burst(memory, maxBytes)
const afterBurst = await grownBy()
memory.limit({ ...limits, maxBytes: mebibyte })
const shrunk = await grownBy()
memory.limit({ ...limits, maxBytes })
await insert(memory, 20_000, Math.max(...phases), maxBytes)
memory.clear()
console.log(JSON.stringify({ counted, peak: peak - before, settled, afterBurst, shrunk, cleared: await grownBy() }))
