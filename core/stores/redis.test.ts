import { afterAll, beforeAll, describe, expect, setSystemTime, test } from 'bun:test'
import { type RedisServer, redisMissing, startRedis } from '../testing/redis.ts'
import { testStore } from './contract.ts'
import { memoryStore } from './memory.ts'
import { openStore } from './redis/testing/open-store.ts'
import { startTakers } from './redis/testing/start-takers.ts'
import type { Level } from './store.ts'

const moveAllExpiries = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  local at = redis.call('PEXPIRETIME', key)
  if at > 0 then redis.call('PEXPIREAT', key, at - ARGV[1]) end
end`

describe.skipIf(redisMissing)('a store in Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.[Symbol.asyncDispose]())

  testStore('redis', async () => {
    await server.command('FLUSHALL')
    let time = 1_000_000
    const { store } = await openStore(server.url, { onError: 'deny', now: () => time })
    return {
      store,
      async advance(ms) {
        time += ms
        await server.command('EVAL', moveAllExpiries, '0', String(Math.ceil(ms)))
      },
    }
  })

  test('decides exactly as memory does, over random walks', async () => {
    let time = 1_700_000_000_000
    const now = () => time
    await using opened = await openStore(server.url, { onError: 'deny', now })
    const memory = memoryStore(now)
    const random = (most: number) => Math.random() * most
    for (let walk = 0; walk < 20; walk++) {
      const bucket = { perMinute: random(walk % 2 ? 10 : 6000), burst: walk % 3 ? Math.ceil(random(50)) : random(50) }
      for (let step = 0; step < 60; step++) {
        const cost = step % 4 ? 1 : random(bucket.burst * 1.1)
        const own = await memory.take(`walk:${walk}`, bucket, cost)
        expect(await opened.store.take(`walk:${walk}`, bucket, cost)).toEqual(own)
        if (step % 3 === 0) {
          const amount = random(cost * 2) - cost / 2
          const level = memory.giveBack(`walk:${walk}`, bucket, amount) as Level
          expect(await opened.store.giveBack(`walk:${walk}`, bucket, amount)).toEqual(level)
        }
        time += step % 5 ? random(60_000 / bucket.perMinute) : Math.floor(random(1000))
      }
    }
  })

  test('goes by the clock of Redis and not by its own', async () => {
    await using opened = await openStore(server.url, { onError: 'deny' })
    const take = () => opened.store.take('clock', { perMinute: 1, burst: 2 })
    try {
      expect(await take()).toMatchObject({ allowed: true, remaining: 1 })
      setSystemTime(Date.now() + 3_600_000)
      expect(await take()).toMatchObject({ allowed: true, remaining: 0 })
      setSystemTime(Date.now() + 3_600_000)
      expect(await take()).toMatchObject({ allowed: false })
    } finally {
      setSystemTime()
    }
    await using fast = await openStore(server.url, { onError: 'deny' })
    const bucket = { perMinute: 60_000, burst: 1 }
    const refused = async () => !(await fast.store.take('fast', bucket)).allowed
    while (!(await refused())); // one in a millisecond
    while (await refused()); // and it drains by itself
  })

  test('a clock that is set back locks nobody out', async () => {
    let time = 1_000_000_000
    await using opened = await openStore(server.url, { onError: 'deny', now: () => time })
    const take = () => opened.store.take('back', { perMinute: 60, burst: 2 })
    expect(await take()).toMatchObject({ allowed: true, remaining: 1 })
    time -= 3_600_000
    expect(await take()).toMatchObject({ allowed: true, remaining: 0 })
    time += 1000
    expect(await take()).toMatchObject({ allowed: true, remaining: 0 })
  })

  test('what nobody uses any more goes by itself', async () => {
    await using opened = await openStore(server.url)
    await server.command('FLUSHALL')
    await opened.store.take('b', { perMinute: 60, burst: 100 }, 100)
    await opened.store.set('v', new Uint8Array(1), { ttlMs: 5000 })
    const left = async (key: string) => Number(await server.command('PTTL', key))
    expect(await left('gatehouse:bucket:b')).toBeWithin(150_000, 160_001)
    expect(await left('gatehouse:value:v')).toBeWithin(1, 5001)
  })

  test('finds its script again when Redis forgot it', async () => {
    await using opened = await openStore(server.url, { onError: 'deny' })
    for (let round = 0; round < 3; round++) {
      await server.command('SCRIPT', 'FLUSH')
      const taken = await Promise.all([1, 2, 3].map(async () => opened.store.take('flushed', { perMinute: 60, burst: 100 })))
      expect(taken.map(({ allowed }) => allowed)).toEqual([true, true, true])
    }
    expect(opened.store.state).toBe('up')
  })

  test('a key of somebody else in its place is a miss, told once', async () => {
    await using opened = await openStore(server.url)
    await server.command('LPUSH', 'gatehouse:value:list', 'x')
    for (let round = 0; round < 3; round++) expect(await opened.store.get('list')).toBeNull()
    expect(opened.store.state).toBe('up')
    expect(opened.lines.filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({ command: 'get', code: 'WRONGTYPE', message: 'Redis refused a command' }),
    ])
  })

  test('writes that would hold everything else up are dropped', async () => {
    await using opened = await openStore(server.url)
    const megabyte = new Uint8Array(1024 * 1024)
    await Promise.all(Array.from({ length: 20 }, (_, at) => opened.store.set(`large:${at}`, megabyte)))
    expect(await Array.fromAsync(opened.store.keys('large:'))).toHaveLength(8)
    await opened.store.set('large:later', megabyte)
    expect(await opened.store.get('large:later')).toEqual(megabyte)
  })

  test('databases are apart', async () => {
    await using first = await openStore(server.url)
    await using second = await openStore(`${server.url}/5`)
    await first.store.set('where', new Uint8Array([0]))
    expect(await second.store.get('where')).toBeNull()
  })

  test('two processes share buckets to the last drop', async () => {
    await using takers = await startTakers(server.url, 2)
    for (const [round, { perMinute, burst, cost }] of [
      { perMinute: 0, burst: 1, cost: 1 },
      { perMinute: 0, burst: 100, cost: 1 },
      { perMinute: 0, burst: 333, cost: 7 },
      { perMinute: 0.001, burst: 50, cost: 0.5 },
      ...Array.from({ length: 10 }, () => ({ perMinute: 0, burst: Math.ceil(Math.random() * 400), cost: Math.ceil(Math.random() * 9) })),
    ].entries()) {
      const got = await takers.take({ key: `shared:${round}`, perMinute, burst, cost, times: 500 })
      expect(got.reduce((sum, part) => sum + part, 0)).toBe(Math.floor(burst / cost))
    }
  })

  test('two processes get what drains, and no more', async () => {
    await using takers = await startTakers(server.url, 2)
    const bucket = { key: 'drains', perMinute: 6000, burst: 60, cost: 1 }
    const from = performance.now()
    let sum = 0
    for (let round = 0; round < 20; round++) for (const part of await takers.take({ ...bucket, times: 50 })) sum += part
    const elapsed = performance.now() - from
    expect(sum).toBeGreaterThanOrEqual(60)
    expect(sum).toBeLessThanOrEqual(61 + elapsed / 10)
  })
})
