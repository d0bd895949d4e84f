/** Long proofs of a lost Redis: run by `npm run test:long`. */
import { describe, expect, test } from 'bun:test'
import { redisMissing, startRedis } from '../testing/redis.ts'
import { describeLoad, mixedLoad } from './redis/testing/load.ts'
import { openStore } from './redis/testing/open-store.ts'
import { startTakers } from './redis/testing/start-takers.ts'

const ways = 64

describe.skipIf(redisMissing)('Redis', () => {
  test.each(['local', 'deny'] as const)(
    'lost 40 times under load (on_error: %s): nobody waits 500 ms, and it is always used again',
    async onError => {
      await using server = await startRedis()
      await using opened = await openStore(server.url, { onError })
      const over = Promise.withResolvers<void>()
      const load = mixedLoad(opened.store, ways, over.promise)
      const recoveries: number[] = []
      let freezes = 0
      for (let loss = 0; loss < 40; loss++) {
        await Bun.sleep(Math.random() * 1000)
        const kind = loss % 4
        if (kind === 0) {
          server.freeze()
          await Bun.sleep(Math.random() * 3000)
          server.thaw()
          freezes++
        } else if (kind === 1) {
          await server.kill()
          await Bun.sleep(Math.random() * 3000)
          await server.restart()
        } else if (kind === 2) await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
        else {
          server.freeze()
          await Bun.sleep(Math.random() * 1000)
          await server.restart() // killed while it hangs
          freezes++
        }
        recoveries.push(await opened.until('up'))
      }
      over.resolve()
      const report = await load
      const slowest = Math.max(...recoveries)
      console.log(`on_error ${onError}: ${describeLoad(report)}; up again after ${slowest.toFixed(0)} ms at most`)
      expect(report.errors).toEqual([])
      expect(report.max).toBeLessThan(500)
      expect(report.slow).toBeLessThanOrEqual(ways * freezes)
      expect(slowest).toBeLessThan(2000)
      await opened.store.set('after', new Uint8Array([1]))
      expect(await opened.store.get('after')).not.toBeNull()
    },
    300_000,
  )

  test('four processes never take more than there is, 300 times', async () => {
    await using server = await startRedis()
    await using takers = await startTakers(server.url, 4)
    for (let round = 0; round < 300; round++) {
      const burst = Math.ceil(Math.random() * 1000)
      const cost = Math.ceil(Math.random() * 9)
      const got = await takers.take({ key: `round:${round}`, perMinute: 0, burst, cost, times: 400 })
      expect(got.reduce((sum, part) => sum + part, 0)).toBe(Math.min(1600, Math.floor(burst / cost)))
    }
  }, 300_000)

  test('what it costs: calls a second and their time', async () => {
    await using server = await startRedis()
    await using opened = await openStore(server.url)
    const { store } = opened
    await store.set('small', new Uint8Array(4096))
    const calls = {
      'get 4 KB': () => store.get('small'),
      'set 4 KB': () => store.set('k', new Uint8Array(4096), { ttlMs: 60_000 }),
      take: () => store.take('b', { perMinute: 60_000_000, burst: 1e9 }),
    }
    for (const [name, call] of Object.entries(calls))
      for (const width of [1, 64]) {
        const { perSecond, cpu, p50, p99 } = await measure(call, width)
        console.log(
          `${name}, ${width} at a time: ${(perSecond / 1000).toFixed(0)} k/s, ${cpu.toFixed(1)} µs of CPU, p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms`,
        )
      }
    expect(store.state).toBe('up')
  }, 120_000)
})

async function measure(call: () => unknown, width: number) {
  const times: number[] = []
  const cpu = process.cpuUsage()
  const from = performance.now()
  const walk = async () => {
    while (performance.now() - from < 3000) {
      const at = performance.now()
      await call()
      times.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: width }, walk))
  const { user, system } = process.cpuUsage(cpu)
  const sorted = times.sort((a, b) => a - b)
  return {
    perSecond: (times.length / (performance.now() - from)) * 1000,
    cpu: (user + system) / times.length,
    p50: sorted[Math.floor(sorted.length / 2)] ?? 0,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
  }
}
