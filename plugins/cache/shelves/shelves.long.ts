/** What the shelves cost, and many more kills: run by `npm run test:long`. */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../../core/stores/redis/testing/open-store.ts'
import { redisMissing, startRedis } from '../../../core/testing/redis.ts'
import type { Shelf } from '../shelf.ts'
import { redisShelf } from './redis.ts'
import { answerOf, any, isAnswerOf, keyOf, lengthOf, roomy } from './testing/answers.ts'
import { keepLog } from './testing/log.ts'
import { openForTest } from './testing/open-sqlite.ts'
import { startFilling } from './testing/start-filling.ts'

const root = mkdtempSync(join(tmpdir(), 'gatehouse-shelf-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0
const newPath = () => {
  const folder = join(root, String(++folders))
  mkdirSync(folder)
  return join(folder, 'cache.db')
}
const sizes = [512, 8192, 65_536]

/** Microseconds of one call, and of the CPU for it, `ways` at a time; the best of five rounds. */
async function cost(calls: number, ways: number, call: (at: number) => unknown, after: () => unknown = () => {}) {
  let [best, cpu] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage()
    const from = performance.now()
    let at = 0
    const walk = async () => {
      while (at < calls) {
        const result = call(at++)
        if (result instanceof Promise) await result
      }
    }
    await Promise.all(Array.from({ length: ways }, walk))
    best = Math.min(best, ((performance.now() - from) / calls) * 1000)
    await after()
    const { user, system } = process.cpuUsage(before)
    cpu = Math.min(cpu, (user + system) / calls)
  }
  return { us: best.toFixed(1), cpu: cpu.toFixed(1) }
}

async function costs(name: string, shelf: Shelf, ways: number) {
  const keys = Array.from({ length: 200 }, (_, at) => keyOf(at))
  for (const size of sizes) {
    const answer = answerOf('m', size)
    const put = (at: number) => shelf.set(keys[at] as string, answer)
    const set =
      shelf.name === 'sqlite'
        ? await cost(keys.length, 1, put, () => shelf.flush())
        : await cost(keys.length * 5, ways, at => {
            put(at % keys.length)
            return shelf.flush()
          })
    while ((await shelf.fresh('m')) && !(await shelf.get(keys[0] as string, any))) await Bun.sleep(10) // on a busy machine it may have lost patience
    const get = await cost(keys.length * 10, ways, at => shelf.get(keys[at % keys.length] as string, any))
    console.log(
      `${name}, ${size} bytes: set ${set.us} µs (${set.cpu} of CPU in all), get ${get.us} µs (${get.cpu} of CPU), ${ways} at a time`,
    )
  }
}

describe('what it costs', () => {
  test('in SQLite', async () => {
    await using on = openForTest(newPath())
    await costs('sqlite', on.shelf, 1)
    console.log(`sqlite: touch ${(await cost(100_000, 1, at => on.shelf.touch(keyOf(at % 2)))).us} µs with the digest for the key`)
  }, 60_000)

  test.skipIf(redisMissing)(
    'in Redis',
    async () => {
      await using server = await startRedis()
      const { store } = await openStore(server.url)
      const shelf = redisShelf({ store, limits: roomy, log: keepLog().log, onCleared: () => {} })
      await costs('redis', shelf, 1)
      await costs('redis', shelf, 64)
      await shelf.fresh('m')
      console.log(`redis: fresh ${(await cost(100_000, 1, () => shelf.fresh('m'))).us} µs`)
      await store.close()
    },
    60_000,
  )

  test('the event loop: how long one slice of writing takes', async () => {
    for (const [size, count] of [
      [512, 4000],
      [8192, 2000],
      [65_536, 500],
      [1024 * 1024, 40],
      [8 * 1024 * 1024, 10],
    ] as const) {
      const slices: number[] = []
      const original = globalThis.setTimeout
      const timed = (work: () => void, ms?: number) =>
        original(() => {
          const from = performance.now()
          work()
          slices.push(performance.now() - from)
        }, ms)
      await using on = openForTest(newPath(), { maxBytes: 64 * 1024 * 1024 })
      const answer = answerOf('m', size)
      globalThis.setTimeout = timed as typeof setTimeout
      try {
        for (let at = 0; at < count; at++) {
          on.shelf.set(keyOf(at), answer)
          if (at % Math.max(1, Math.floor((4 * 1024 * 1024) / size)) === 0) await on.shelf.flush()
        }
        await on.shelf.flush()
      } finally {
        globalThis.setTimeout = original
      }
      const sorted = Float64Array.from(slices).sort()
      const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]?.toFixed(1)
      console.log(
        `sqlite, ${count} answers of ${size} bytes: ${sorted.length} slices, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
      )
    }
  }, 120_000)
})

test('killed a hundred times while it writes: what was flushed is there, and the file is whole', async () => {
  const path = newPath()
  let next = 0
  for (let life = 0; life < 100; life++) {
    const filling = startFilling(path, next)
    await filling.safe()
    await Bun.sleep(Math.random() * 100)
    const last = await filling.kill()
    await using on = openForTest(path)
    for (let at = Math.max(0, next - 50); at <= last; at++) expect(isAnswerOf(on.get(at), lengthOf(at), at)).toBe(true)
    expect(on.lines).toEqual([])
    if (last > 2000) await on.shelf.clear()
    next = last > 2000 ? 0 : last + 1
  }
}, 300_000)
