/** Long proofs of shared records, with their figures: run by `npm run test:long`. */
import { describe, expect, test } from 'bun:test'
import { redisMissing, startRedis } from '../testing/redis.ts'
import { admin, keySettings, storedSecret } from './contract/under-test.ts'
import { openKeyIndex } from './key-index.ts'
import { until } from './redis/testing/agree.ts'
import { killWriters } from './redis/testing/kill-writers.ts'
import { deaf, openLocal, openShared, type SharedInstance, sharedFolder } from './redis/testing/open-shared.ts'
import type { Mishap } from './redis/testing/walk-mishaps.ts'
import { walkShared } from './redis/testing/walk-shared.ts'

describe.skipIf(redisMissing)('records shared through Redis', () => {
  const kinds: readonly (readonly [string, readonly Mishap[]])[] = [
    ['connections and instances', ['cut', 'freeze', 'shut', 'kill instance', 'script flush']],
    ['what Redis knows', ['cut', 'freeze', 'shut', 'kill instance', 'snapshot', 'restart', 'flush']],
  ]
  test.each(kinds)(
    '30 random walks of three instances with losses of %s end in agreement',
    async (name, mishaps) => {
      await using server = await startRedis()
      const sum = { done: 0, refused: 0, mishaps: 0, renumbered: 0 }
      for (let seed = 100; seed < 130; seed++) {
        const report = await walkShared(server, seed, 120, mishaps)
        for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += report[key]
      }
      console.log(`losses of ${name}: ${JSON.stringify(sum)}`)
      expect(sum.done).toBeGreaterThan(sum.refused)
    },
    900_000,
  )

  test('two instances killed 20 times each have made what they said', async () => {
    await using server = await startRedis()
    console.log(`${await killWriters(server.url, 20)} changes said, all made, each in one audit once`)
  }, 300_000)

  test.each([
    ['announced', {}],
    ['not announced', { subscribe: deaf }],
  ])(
    '40 keys that are revoked at one of two instances are refused by the other within a second: %s',
    async (name, settings) => {
      await using server = await startRedis()
      await using one = await openShared(server.url)
      await using other = await openShared(server.url, settings)
      const index = await openKeyIndex(other.records.keys)
      const took: number[] = []
      for (let at = 1; at <= 40; at++) {
        const { id } = await one.records.keys.create(keySettings(), storedSecret(at), admin)
        await until(() => index.get(id))
        await Bun.sleep(Math.random() * 400)
        const since = performance.now()
        await one.records.keys.update(id, { enabled: false }, admin)
        await until(() => index.get(id)?.enabled === false)
        took.push(performance.now() - since)
      }
      index.close()
      took.sort((a, b) => a - b)
      console.log(`refused after ${took[20]?.toFixed(1)} ms (median), ${took.at(-1)?.toFixed(1)} ms (most) when ${name}`)
      expect(took.at(-1)).toBeLessThan(1000)
    },
    120_000,
  )

  test('20,000 keys: taken over, read by somebody new, and given to a Redis that lost them', async () => {
    await using server = await startRedis()
    using folder = sharedFolder()
    const local = await openLocal(folder.path)
    for (let at = 1; at <= 20_000; at++) await local.keys.create(keySettings({ name: `key number ${at}` }), storedSecret(at), admin)
    local.close()
    const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
      const [since, lags] = [performance.now(), await watchLags()]
      const result = await work()
      console.log(`${what}: ${(performance.now() - since).toFixed(0)} ms; the event loop was late by ${lags()}`)
      return result
    }
    await using one = await timed('taken over', () => openShared(server.url, { folder: folder.path }))
    await using other = await timed('read by somebody new', () => openShared(server.url))
    const agreements = ({ lines }: SharedInstance) => lines.filter(({ message }) => message.includes('are shared through Redis')).length
    await server.command('FLUSHALL')
    await timed('given back by two', () => until(() => agreements(one) === 2 && agreements(other) === 2))
    expect((await other.records.keys.list({ limit: 1 })).total).toBe(20_000)
    await timed('1000 changes', async () => {
      for (let id = 1; id <= 1000; id++) await one.records.keys.update(id, { quota: id }, admin)
    })
    console.log(String(await server.command('INFO', 'memory')).match(/used_memory_human:\S+/)?.[0])
  }, 300_000)
})

/** The result ends it and tells how late timers were. */
async function watchLags(): Promise<() => string> {
  const lags: number[] = []
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    lags.push(Math.max(0, now - last - 2))
    last = now
  }, 2)
  return () => {
    clearInterval(timer)
    lags.sort((a, b) => a - b)
    return `${lags[lags.length >> 1]?.toFixed(1)} ms (median), ${lags.at(-1)?.toFixed(1)} ms (most)`
  }
}
