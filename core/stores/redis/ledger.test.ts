import { afterAll, beforeAll, beforeEach, describe, expect, setSystemTime, test } from 'bun:test'
import { cpSync } from 'node:fs'
import { testLedger } from '../../records/ledger/contract.ts'
import { sqliteLedger } from '../../records/ledger/sqlite.ts'
import { keptLog, ledgerFolder } from '../../records/ledger/testing/open-ledger.ts'
import type { Account, Balance, Bounds, Reservation } from '../../records/ledger.ts'
import { type RedisServer, redisMissing, startRedis } from '../../testing/redis.ts'
import { redisLedger } from './ledger.ts'
import { type Instance, openInstance } from './testing/open-instance.ts'
import { startReserver } from './testing/start-reserver.ts'
import { storm } from './testing/storm.ts'
import { walkInstances } from './testing/walk-instances.ts'

const key = (limit: number | null, keyId = 1): Account => ({ keyId, period: 'total', limit })
const reserve = async ({ ledger }: Instance, account: Account, tokens: number, estimate = 1): Promise<Reservation> => {
  const grant = await ledger.reserve(account, { tokens, estimate })
  if (!grant.granted) throw new Error(`refused: ${JSON.stringify(grant.balance)}`)
  return grant.reservation
}
const comesTrue = async (check: () => Promise<boolean>, what = 'it') => {
  const until = performance.now() + 10_000
  while (!(await check())) {
    if (performance.now() > until) throw new Error(`${what} never came true`)
    await Bun.sleep(10)
  }
}
const comesTo = async ({ ledger }: Instance, account: Account, balance: Partial<Balance>) => {
  const last = async () => ({ ...(await ledger.balance(account)), ...balance })
  await comesTrue(async () => Bun.deepEquals(await ledger.balance(account), await last()), JSON.stringify(balance)).catch(async () =>
    expect(await ledger.balance(account)).toMatchObject(balance),
  )
}
const unavailable = expect.objectContaining({ status: 503, code: 'store_unavailable' })

describe.skipIf(redisMissing)('the ledger in Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.[Symbol.asyncDispose]())
  beforeEach(() => server.command('FLUSHALL'))

  testLedger('redis', async start => {
    await server.command('FLUSHALL')
    return openInstance(server.url, { onError: 'deny', answerWithinMs: 10_000, clock: { now: start } })
  })

  test('several instances agree with a plain model over random walks, whatever happens to Redis and to them', async () => {
    let refusals = 0
    for (let seed = 1; seed <= 4; seed++) {
      const mishaps = ['flush', 'script flush', 'restart instance'] as const
      refusals += (await walkInstances(server, seed, 250, mishaps)).refusals
    }
    await walkInstances(server, 5, 150, ['kill', 'snapshot', 'cut', 'freeze', 'restart instance'])
    expect(refusals).toBeGreaterThan(50)
  }, 120_000)

  test('of 1000 at once in two processes exactly those pass that fit', async () => {
    using folders = twoFolders()
    const two = await Promise.all(folders.paths.map(folder => startReserver(server.url, { folder })))
    const bounds: Bounds = { tokens: 100, estimate: 10 }
    for (const [round, limit] of [12_345, 50_000, 99].entries()) {
      const account = key(limit, round)
      const passed = await Promise.all(two.map(one => one.reserve({ account, bounds, times: 500 })))
      expect(passed.reduce((sum, some) => sum + some, 0)).toBe(Math.min(1000, Math.floor(limit / 100)))
    }
    await Promise.all(two.map(one => one.settle(0.5)))
    await using third = await openInstance(server.url)
    await comesTo(third, key(12_345, 0), { used: 123 * 50, reserved: 0 })
    await comesTo(third, key(50_000, 1), { used: 500 * 50, reserved: 0 })
    for (const one of two) await one.kill()
  }, 30_000)

  test('a storm over three instances spends a limit to the last token and not beyond, while all is told again and again', async () => {
    const instances = await Promise.all(
      [1, 2, 3].map(() => openInstance(server.url, { onError: 'deny', answerWithinMs: 10_000, beatMs: 1 })),
    )
    const account = key(30_000)
    const report = await storm({ instances, account, ways: 60, stopped: Bun.sleep(2500) })
    expect(report).toMatchObject({ settled: 30_000, most: 30_000, denied: 0, errors: [] })
    for (const instance of instances) {
      await comesTo(instance, account, { used: 30_000, reserved: 0, remaining: 0 })
      await instance[Symbol.asyncDispose]()
    }
  }, 30_000)

  test('an instance that was killed: its open requests are charged as estimated, by others once it is silent, and by itself', async () => {
    using folders = twoFolders()
    const [folder] = folders.paths
    const timing = { beatMs: 50, lastsMs: 500 }
    const child = await startReserver(server.url, { folder, ...timing })
    await using living = await openInstance(server.url, timing)
    const account = key(1000)
    expect(await child.reserve({ account, bounds: { tokens: 60, estimate: 60 }, times: 1 })).toBe(1)
    expect(await child.settle(0.5)).toBe(1)
    expect(await child.reserve({ account, bounds: { tokens: 100, estimate: 7 }, times: 5 })).toBe(5)
    const own = await reserve(living, account, 400, 400)
    await Bun.sleep(100) // its reservations are on its disk
    await child.kill()
    expect(await living.ledger.reserve(account, { tokens: 300, estimate: 1 })).toMatchObject({
      granted: false,
      balance: { used: 30, reserved: 900 },
    })
    await comesTrue(async () => (await living.ledger.reserve(account, { tokens: 400, estimate: 1 })).granted)
    expect(await living.ledger.balance(account)).toMatchObject({ used: 30 + 35, reserved: 800 })
    await living.ledger.settle(own, 100)

    await using again = await startReserver(server.url, { folder, ...timing })
    expect(await again.reserve({ account, bounds: { tokens: 435, estimate: 1 }, times: 2 })).toBe(1)
    await comesTo(living, account, { used: 30 + 35 + 100, reserved: 400 + 435, remaining: 0 })
  }, 30_000)

  test('an instance that was taken for gone and is not says how things stand when it goes on', async () => {
    await using slow = await openInstance(server.url, { beatMs: 60_000, lastsMs: 300 })
    await using other = await openInstance(server.url)
    const account = key(1000)
    const first = await reserve(slow, account, 400, 5)
    const second = await reserve(slow, account, 300, 5)
    await comesTrue(async () => (await other.ledger.reserve(account, { tokens: 900, estimate: 1 })).granted)
    expect(await other.ledger.balance(account)).toMatchObject({ used: 10, reserved: 900 })
    await slow.ledger.settle(first, 30)
    await comesTo(other, account, { used: 30, reserved: 1200, remaining: 0 })
    await slow.ledger.settle(second, 20)
    await comesTo(other, account, { used: 50, reserved: 900, remaining: 50 })
  })

  test('an instance that has just told Redis again what it lost is not taken for gone before its next beat', async () => {
    await using one = await openInstance(server.url, { beatMs: 60_000 })
    await using two = await openInstance(server.url, { beatMs: 60_000 })
    const account = key(1000)
    await reserve(one, account, 500, 5)
    await server.command('FLUSHALL')
    await reserve(one, account, 1, 1)
    expect(await two.ledger.reserve(account, { tokens: 600, estimate: 1 })).toMatchObject({
      granted: false,
      balance: { used: 0, reserved: 501 },
    })
  })

  test('what was reserved just before a crash is charged as estimated although the instance is back, till it uses the key', async () => {
    using folders = twoFolders()
    await using other = await openInstance(server.url)
    const account = key(1000)
    const before = await openInstance(server.url, { folder: folders.paths[0] })
    await reserve(before, account, 900, 7)
    await before.die() // it is not on its disk yet
    expect(await other.ledger.reserve(account, { tokens: 500, estimate: 1 })).toMatchObject({ granted: false })
    await using after = await openInstance(server.url, { folder: folders.paths[0] })
    await comesTrue(async () => (await other.ledger.reserve(account, { tokens: 500, estimate: 1 })).granted)
    expect(await other.ledger.balance(account)).toMatchObject({ used: 7, reserved: 500 })
    after.ledger.release(await reserve(after, account, 10))
    await comesTo(other, account, { used: 0, reserved: 500 })
  })

  test('what Redis lost is told again by all, also by those that have nothing to do', async () => {
    await using busy = await openInstance(server.url, { beatMs: 20 })
    await using idle = await openInstance(server.url, { beatMs: 20 })
    const account = key(1000)
    await idle.ledger.settle(await reserve(idle, account, 300), 300)
    await reserve(idle, account, 50)
    await busy.ledger.settle(await reserve(busy, account, 200), 200)
    await server.command('FLUSHALL')
    await comesTo(busy, account, { used: 500, reserved: 50 })
    expect(await busy.ledger.reserve(account, { tokens: 451, estimate: 1 })).toMatchObject({ granted: false })
    await reserve(busy, account, 450)
  })

  test('what an instance had settled that is gone for good outlives a Redis that loses everything', async () => {
    await using stays = await openInstance(server.url, { beatMs: 10 })
    const goes = await openInstance(server.url, { beatMs: 10 })
    const account = key(1000)
    await goes.ledger.settle(await reserve(goes, account, 700), 700)
    await stays.ledger.settle(await reserve(stays, account, 1), 1)
    const seen = stays.database.query('SELECT tokens FROM ledger_seen WHERE tokens = 700')
    await comesTrue(async () => seen.get() !== null, 'being seen')
    await goes[Symbol.asyncDispose]()
    await server.command('FLUSHALL')
    await comesTo(stays, account, { used: 701 })
    await using fresh = await openInstance(server.url)
    expect(await fresh.ledger.reserve(account, { tokens: 300, estimate: 1 })).toMatchObject({ granted: false, balance: { used: 701 } })
  })

  test('a Redis that comes back from an older snapshot is told what is missing in it', async () => {
    await using own = await startRedis()
    await using one = await openInstance(own.url, { beatMs: 20 })
    await using two = await openInstance(own.url, { beatMs: 20 })
    const account = key(1000)
    await one.ledger.settle(await reserve(one, account, 100), 100)
    await own.command('SAVE')
    await one.ledger.settle(await reserve(one, account, 200), 200)
    await reserve(one, account, 10)
    await own.restart()
    await Promise.all([one.until('up'), two.until('up')])
    await comesTo(two, account, { used: 300, reserved: 10 })
  })

  test('a reload that brings another ledger over the same database loses nothing that is open', async () => {
    await using instance = await openInstance(server.url, { beatMs: 20 })
    await using watcher = await openInstance(server.url, { beatMs: 20 })
    const { ledger, local, database, link } = instance
    const account = key(1000)
    const first = await reserve(instance, account, 100)
    await ledger.settle(await reserve(instance, account, 50), 50)
    ledger.close()
    const alone = sqliteLedger({ local })
    expect(await alone.balance(account)).toMatchObject({ used: 50, reserved: 100 })
    const second = await alone.reserve(account, { tokens: 200, estimate: 1 })
    const again = redisLedger({ local, database, link, log: keptLog().log, beatMs: 20 })
    await comesTo(watcher, account, { used: 50, reserved: 300 })
    await ledger.settle(first, 70) // by a request that began before
    if (second.granted) alone.release(second.reservation)
    await comesTo(watcher, account, { used: 120, reserved: 0 })
    expect(await again.balance(account)).toMatchObject({ used: 120, reserved: 0 })
    again.close()
  })

  test('goes by the day of Redis', async () => {
    await using instance = await openInstance(server.url)
    const account: Account = { keyId: 1, period: 'day', limit: 100 }
    const tomorrow = (Math.floor(Date.now() / 86_400_000) + 1) * 86_400_000
    try {
      setSystemTime(Date.now() + 3 * 86_400_000)
      await instance.ledger.settle(await reserve(instance, account, 60), 60)
      expect(await instance.ledger.balance(account)).toMatchObject({ used: 60, resetAt: tomorrow })
      expect(await instance.ledger.reserve(account, { tokens: 41, estimate: 1 })).toMatchObject({ granted: false })
    } finally {
      setSystemTime()
    }
  })

  test('windows that are over vanish from Redis by themselves', async () => {
    const clock = { now: Date.UTC(2026, 0, 10, 12) }
    await using instance = await openInstance(server.url, { clock, beatMs: 5 })
    for (const period of ['day', 'month', 'total'] as const) {
      const account: Account = { keyId: 1, period, limit: 100 }
      await instance.ledger.settle(await reserve(instance, account, 10), 10)
    }
    const left = async (name: string) => Number(await server.command('PTTL', `gatehouse:ledger:1:${name}`)) / 3_600_000
    const day = Math.floor(clock.now / 86_400_000)
    await comesTrue(async () => (await left(`month:${day - 9}`)) > 0)
    expect(await left(`day:${day}`)).toBeWithin(83, 84.1)
    expect(await left(`month:${day - 9}`)).toBeWithin(587, 588.1)
    expect(await left('total')).toBeLessThan(0)
  })

  test('a copy of the data folder goes on under another name, and all that was spent still counts', async () => {
    using folders = twoFolders()
    const [first, second] = folders.paths
    const account = key(10_000)
    const before = await openInstance(server.url, { folder: first, beatMs: 20 })
    await before.ledger.settle(await reserve(before, account, 1000), 1000)
    before.ledger.close()
    before.local.close()
    await before.link.close()
    before.database.close(true)
    cpSync(first, second, { recursive: true })
    const timing = { beatMs: 20, lastsMs: 300 }
    const one = await openInstance(server.url, { folder: first, ...timing })
    await one.ledger.settle(await reserve(one, account, 50), 50) // what the copy does not have
    const two = await openInstance(server.url, { folder: second, ...timing })
    const warnings = () => [...one.lines, ...two.lines].filter(({ message }) => message.includes('copy of this data folder'))
    await comesTrue(async () => warnings().length > 0)
    for (let round = 0; round < 5; round++)
      for (const instance of [one, two]) {
        await instance.ledger.settle(await reserve(instance, account, 10, 0), 10)
        await Bun.sleep(30)
      }
    for (const instance of [one, two]) await comesTo(instance, account, { used: 1150, reserved: 0 })
    expect(warnings().length).toBeLessThanOrEqual(2)
    const names = [one, two].map(({ database }) => database.query<{ name: string }, []>('SELECT name FROM ledger_self').get()?.name)
    expect(new Set(names).size).toBe(2)
    for (const instance of [one, two]) await instance[Symbol.asyncDispose]()
  })
})

describe.skipIf(redisMissing)('a ledger that loses Redis', () => {
  test('on_error local: each instance goes by what it knows, and what was settled meanwhile is added', async () => {
    await using server = await startRedis()
    await using one = await openInstance(server.url, { beatMs: 20 })
    await using two = await openInstance(server.url, { beatMs: 20 })
    const account = key(1000)
    await two.ledger.settle(await reserve(two, account, 400), 400)
    await comesTo(one, account, { used: 400, reserved: 0 })
    const open = await reserve(one, account, 100)
    await comesTo(two, account, { used: 400, reserved: 100 })
    server.freeze()
    const from = performance.now()
    const meanwhile = await reserve(one, account, 450) // 400 + 100 + 450 ≤ 1000
    expect(performance.now() - from).toBeLessThan(500)
    expect(await one.ledger.reserve(account, { tokens: 51, estimate: 1 })).toEqual({
      granted: false,
      balance: { limit: 1000, used: 400, reserved: 550, remaining: 50, resetAt: null },
    })
    expect(await one.ledger.extend(open, { tokens: 150, estimate: 1 })).toMatchObject({ granted: true })
    await one.ledger.settle(meanwhile, 300)
    const alone = await reserve(two, account, 600) // all that was left once more: this is what "local" may overspend
    await two.ledger.settle(alone, 600)
    expect(await two.ledger.balance(account)).toMatchObject({ used: 1000, remaining: 0 })
    server.thaw()
    await Promise.all([one.until('up'), two.until('up')])
    for (const instance of [one, two]) await comesTo(instance, account, { used: 1300, reserved: 150, remaining: 0 })
    await one.ledger.settle(open, 1)
    for (const instance of [one, two]) await comesTo(instance, account, { used: 1301, reserved: 0 })
  }, 20_000)

  test('on_error deny: limits are a 503, everything else goes on', async () => {
    await using server = await startRedis()
    await using instance = await openInstance(server.url, { onError: 'deny', beatMs: 20 })
    const { ledger } = instance
    const account = key(1000)
    const open = await reserve(instance, account, 100)
    await server.kill()
    await instance.until('down')
    expect((async () => ledger.reserve(account, { tokens: 1, estimate: 1 }))()).rejects.toEqual(unavailable)
    expect((async () => ledger.extend(open, { tokens: 101, estimate: 1 }))()).rejects.toEqual(unavailable)
    expect(await ledger.extend(open, { tokens: 99, estimate: 1 })).toMatchObject({ granted: true })
    await ledger.settle(open, 40)
    await ledger.settle(await reserve(instance, key(null), 5), 5)
    expect(await ledger.balance(account)).toMatchObject({ used: 45, reserved: 0 })
    await server.restart()
    await instance.until('up')
    await comesTo(instance, account, { used: 45, reserved: 0 })
    expect((await ledger.reserve(account, { tokens: 955, estimate: 1 })).granted).toBe(true)
  }, 20_000)

  test('and is started without it knows what it last heard of the others', async () => {
    await using server = await startRedis()
    using folders = twoFolders()
    const account = key(1000)
    await using other = await openInstance(server.url, { beatMs: 10 })
    const before = await openInstance(server.url, { folder: folders.paths[0], beatMs: 10 })
    await other.ledger.settle(await reserve(other, account, 600), 600)
    await before.ledger.settle(await reserve(before, account, 10), 10)
    await comesTrue(async () => before.database.query('SELECT 1 FROM ledger_seen WHERE tokens = 600').get() !== null)
    await before[Symbol.asyncDispose]()
    await server.kill()
    await using after = await openInstance(server.url, { folder: folders.paths[0] })
    expect(await after.ledger.balance(account)).toMatchObject({ used: 610 })
    expect(await after.ledger.reserve(account, { tokens: 391, estimate: 1 })).toMatchObject({ granted: false })
  })

  test.each(['local', 'deny'] as const)(
    'under load costs nobody 500 ms, and the sums are right afterwards (on_error: %s)',
    async onError => {
      await using server = await startRedis()
      const instances = await Promise.all([1, 2].map(() => openInstance(server.url, { onError, beatMs: 100 })))
      const account = key(1_000_000_000)
      const over = Promise.withResolvers<void>()
      const load = storm({ instances, account, ways: 50, stopped: over.promise })
      const up = () => Promise.all(instances.map(({ until }) => until('up')))
      await Bun.sleep(300)
      server.freeze()
      await Bun.sleep(1000)
      server.thaw()
      await up()
      await Bun.sleep(300)
      await server.kill()
      await Bun.sleep(500)
      await server.restart()
      await up()
      await Bun.sleep(300)
      over.resolve()
      const report = await load
      expect(report.errors).toEqual([])
      expect(report.slowest).toBeLessThan(500)
      expect(report.denied > 0).toBe(onError === 'deny')
      for (const instance of instances) {
        await comesTo(instance, account, { used: report.settled, reserved: 0 })
        await instance[Symbol.asyncDispose]()
      }
    },
    30_000,
  )
})

function twoFolders() {
  const folders = [ledgerFolder(), ledgerFolder()] as const
  return {
    paths: [folders[0].path, folders[1].path] as const,
    [Symbol.dispose]() {
      for (const folder of folders) folder[Symbol.dispose]()
    },
  }
}
