import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { testLeases } from '../../leases/contract.ts'
import type { Lease, LeaseAnswer } from '../../leases.ts'
import { type RedisServer, redisMissing, startRedis } from '../../testing/redis.ts'
import { type RedisLeasesOptions, redisLeases } from './leases.ts'
import type { OnError } from './link.ts'
import { openLink } from './testing/open-link.ts'

async function open(url: string, onError: OnError = 'local', more: Partial<RedisLeasesOptions> = {}, answerWithinMs = 250) {
  const { link, until } = await openLink(url, onError, answerWithinMs)
  const leases = redisLeases({ link, ...more })
  return {
    leases,
    until,
    /** Behind all that was sent before. */
    settled: async () => void (await link.call('get', ['gatehouse:probe'])),
    async [Symbol.asyncDispose]() {
      await leases.close()
      await link.close()
    },
  }
}
const leaseOf = (answer: LeaseAnswer): Lease => {
  if (!answer.granted) throw new Error('refused')
  return answer.lease
}
const comesTrue = async (check: () => Promise<boolean>) => {
  const until = performance.now() + 10_000
  while (!(await check())) {
    if (performance.now() > until) throw new Error('never came true')
    await Bun.sleep(10)
  }
}

describe.skipIf(redisMissing)('leases in Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.[Symbol.asyncDispose]())
  beforeEach(() => server.command('FLUSHALL'))
  const held = async (key: string) => Number(await server.command('ZCARD', `gatehouse:lease:${key}`))

  testLeases('redis', async () => {
    await server.command('FLUSHALL')
    return open(server.url, 'deny', {}, 10_000)
  })

  test('are shared by the instances', async () => {
    await using one = await open(server.url)
    await using two = await open(server.url)
    const lease = leaseOf(await one.leases.take('k', 1))
    expect(await two.leases.take('k', 1)).toEqual({ granted: false, held: 1 })
    lease.release()
    await one.settled()
    expect((await two.leases.take('k', 1)).granted).toBe(true)
  })

  test('of an instance that is gone lapse by the clock of Redis; those of a living one are renewed', async () => {
    await using living = await open(server.url, 'local', { lastsMs: 600, beatMs: 50 })
    await using gone = await open(server.url, 'local', { lastsMs: 600, beatMs: 50 })
    leaseOf(await living.leases.take('k', 9))
    leaseOf(await gone.leases.take('k', 9))
    await gone.leases.close() // no beat any more, as if it had been killed
    let others = 2
    const from = performance.now()
    while (performance.now() - from < 2500) {
      const answer = await living.leases.take('k', 9)
      others = answer.held - 1
      leaseOf(answer).release()
      expect(others).toBeWithin(1, 3)
      await Bun.sleep(50)
    }
    expect(others).toBe(1)
  })

  test('that Redis lost are told again within a beat', async () => {
    await using opened = await open(server.url, 'local', { beatMs: 50 })
    const lease = leaseOf(await opened.leases.take('k', 3))
    leaseOf(await opened.leases.take('k', 3))
    await server.command('FLUSHALL')
    await comesTrue(async () => (await held('k')) === 2)
    lease.release()
    await opened.settled()
    expect(await held('k')).toBe(1)
  })

  test('on_error local: an instance goes by its own, and Redis hears of it when it is back', async () => {
    await using own = await startRedis()
    await using opened = await open(own.url, 'local', { beatMs: 50 })
    const before = leaseOf(await opened.leases.take('k', 2))
    const released = leaseOf(await opened.leases.take('k', 2))
    own.freeze()
    const from = performance.now()
    expect(await opened.leases.take('k', 2)).toEqual({ granted: false, held: 2 })
    expect(performance.now() - from).toBeLessThan(500)
    released.release()
    expect(await opened.leases.take('k', 2)).toMatchObject({ granted: true, held: 2 })
    expect(await opened.leases.take('k', 2)).toEqual({ granted: false, held: 2 })
    before.release()
    own.thaw()
    await opened.until('up')
    await comesTrue(async () => Number(await own.command('ZCARD', 'gatehouse:lease:k')) === 1)
    expect(await opened.leases.take('k', 2)).toMatchObject({ granted: true, held: 2 })
  })

  test('on_error deny: 503 while it is lost, and nothing stays held of that', async () => {
    await using own = await startRedis()
    await using opened = await open(own.url, 'deny', { beatMs: 50 })
    const lease = leaseOf(await opened.leases.take('k', 5))
    own.freeze()
    const refused = expect.objectContaining({ status: 503, code: 'store_unavailable' })
    const answers = await Promise.all([1, 2, 3].map(() => Promise.resolve(opened.leases.take('k', 5)).catch(error => error)))
    expect(answers).toEqual([refused, refused, refused])
    expect(() => opened.leases.take('k', 5)).toThrow(refused)
    own.thaw() // and it does what it was asked before
    await opened.until('up')
    await comesTrue(async () => Number(await own.command('ZCARD', 'gatehouse:lease:k')) === 1)
    lease.release()
    await opened.settled()
    expect(await opened.leases.take('k', 1)).toMatchObject({ granted: true, held: 1 })
  })

  test('a telling in the middle of many takes loses none and adds none', async () => {
    await using opened = await open(server.url, 'local', { lastsMs: 3000, beatMs: 1 })
    for (let round = 0; round < 30; round++) {
      if (round % 3 === 0) await server.command('FLUSHALL')
      const answers = await Promise.all(
        Array.from({ length: 50 }, async () => {
          await Bun.sleep(Math.random() * 3)
          return opened.leases.take('k', 20)
        }),
      )
      const granted = answers.filter(answer => answer.granted)
      expect(granted.length).toBeGreaterThanOrEqual(20) // more when Redis lost some in between
      await comesTrue(async () => (await held('k')) === granted.length)
      for (const answer of granted) leaseOf(answer).release()
      await comesTrue(async () => (await held('k')) === 0)
    }
  })
})
