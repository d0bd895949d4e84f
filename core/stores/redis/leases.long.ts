/** Long proofs of shared leases: run by `npm run test:long`. */
import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../../errors.ts'
import type { Leases } from '../../leases.ts'
import { redisMissing, startRedis } from '../../testing/redis.ts'
import { redisLeases } from './leases.ts'
import { openLink } from './testing/open-link.ts'

/** Takes and releases until `stopped`; says how many were held at most, and how long the slowest call took. */
async function takeAndRelease(all: readonly Leases[], limit: number, stopped: Promise<unknown>) {
  const report = { granted: 0, refused: 0, denied: 0, most: 0, slowest: 0, errors: [] as unknown[] }
  let held = 0
  let going = true
  void stopped.finally(() => {
    going = false
  })
  const walk = async (_: unknown, at: number) => {
    while (going) {
      const from = performance.now()
      try {
        const answer = await (all[at % all.length] as Leases).take('k', limit)
        if (answer.granted) {
          report.granted++
          report.most = Math.max(report.most, ++held)
          await Bun.sleep(Math.random() * 5)
          held--
          answer.lease.release()
        } else report.refused++
      } catch (error) {
        if (error instanceof GatewayError && error.status === 503) report.denied++
        else report.errors.push(error)
      }
      report.slowest = Math.max(report.slowest, performance.now() - from)
      await Bun.sleep(1)
    }
  }
  await Promise.all(Array.from({ length: 60 }, walk))
  return report
}

describe.skipIf(redisMissing)('shared leases', () => {
  test('never more than the limit, 20 times, with a telling every millisecond', async () => {
    await using server = await startRedis()
    for (let round = 0; round < 20; round++) {
      const links = await Promise.all([1, 2, 3].map(() => openLink(server.url, 'deny', 10_000)))
      const all = links.map(({ link }) => redisLeases({ link, lastsMs: 3000, beatMs: round % 2 ? 1 : 1000 }))
      const limit = 1 + Math.floor(Math.random() * 30)
      const report = await takeAndRelease(all, limit, Bun.sleep(1500))
      expect(report.errors).toEqual([])
      expect(report.denied).toBe(0)
      expect(report.most).toBe(limit)
      for (const leases of all) await leases.close()
      for (const opened of links) await opened[Symbol.asyncDispose]()
      expect(Number(await server.command('ZCARD', 'gatehouse:lease:k'))).toBe(0)
    }
  }, 120_000)

  test.each(['local', 'deny'] as const)(
    'Redis lost 16 times under load (on_error: %s): nobody waits 500 ms, and nothing stays held',
    async onError => {
      await using server = await startRedis()
      const links = await Promise.all([1, 2].map(() => openLink(server.url, onError)))
      const all = links.map(({ link }) => redisLeases({ link, beatMs: 100 }))
      const over = Promise.withResolvers<void>()
      const load = takeAndRelease(all, 20, over.promise)
      for (let loss = 0; loss < 16; loss++) {
        await Bun.sleep(Math.random() * 1000)
        if (loss % 4 === 0) {
          server.freeze()
          await Bun.sleep(Math.random() * 2000)
          server.thaw()
        } else if (loss % 4 === 1) {
          await server.kill()
          await Bun.sleep(Math.random() * 2000)
          await server.restart()
        } else if (loss % 4 === 2) await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
        else await server.command('FLUSHALL')
        await Promise.all(links.map(({ until }) => until('up')))
      }
      over.resolve()
      const { errors, ...report } = await load
      console.log(onError, report)
      expect(errors).toEqual([])
      expect(report.slowest).toBeLessThan(500)
      expect(report.most).toBeLessThanOrEqual(onError === 'deny' ? 40 : 60)
      await Bun.sleep(1000)
      expect(Number(await server.command('ZCARD', 'gatehouse:lease:k'))).toBe(0)
      for (const leases of all) await leases.close()
      for (const opened of links) await opened[Symbol.asyncDispose]()
    },
    120_000,
  )
})
