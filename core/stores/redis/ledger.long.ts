/** Long proofs of the shared ledger: run by `npm run test:long`. */
import { describe, expect, test } from 'bun:test'
import { ledgerFolder } from '../../records/ledger/testing/open-ledger.ts'
import type { Account, Ledger } from '../../records/ledger.ts'
import { redisMissing, startRedis } from '../../testing/redis.ts'
import { redisLeases } from './leases.ts'
import { openInstance } from './testing/open-instance.ts'
import { openLink } from './testing/open-link.ts'
import { startReserver } from './testing/start-reserver.ts'
import { storm } from './testing/storm.ts'
import { walkInstances } from './testing/walk-instances.ts'

const key = (limit: number | null, keyId = 1): Account => ({ keyId, period: 'total', limit })

describe.skipIf(redisMissing)('the shared ledger', () => {
  test('40 random walks of three instances, with everything that can happen to Redis and to them', async () => {
    await using server = await startRedis()
    const sums = { mishaps: 0, refusals: 0, grants: 0 }
    for (let seed = 1; seed <= 40; seed++) {
      const report = await walkInstances(server, seed, 300, [
        'flush',
        'script flush',
        'cut',
        'kill',
        'snapshot',
        'freeze',
        'restart instance',
      ])
      sums.mishaps += report.mishaps
      sums.refusals += report.refusals
      sums.grants += report.grants
    }
    console.log(`${sums.mishaps} mishaps, ${sums.grants} granted, ${sums.refusals} refused`)
    expect(sums.mishaps).toBeGreaterThan(200)
  }, 900_000)

  test('of 1000 at once in four processes exactly those pass that fit, 60 times', async () => {
    await using server = await startRedis()
    const folders = [1, 2, 3, 4].map(() => ledgerFolder())
    const children = await Promise.all(folders.map(({ path }) => startReserver(server.url, { folder: path })))
    for (let round = 0; round < 60; round++) {
      const limit = Math.ceil(Math.random() * 120_000)
      const bounds = { tokens: 1 + Math.floor(Math.random() * 200), estimate: 1 }
      const passed = await Promise.all(children.map(child => child.reserve({ account: key(limit, round), bounds, times: 250 })))
      expect(passed.reduce((sum, some) => sum + some, 0)).toBe(Math.min(1000, Math.floor(limit / bounds.tokens)))
      if (round % 10 === 9) await Promise.all(children.map(child => child.settle(1)))
    }
    for (const child of children) await child.kill()
    for (const folder of folders) folder[Symbol.dispose]()
  }, 300_000)

  test.each(['local', 'deny'] as const)(
    'Redis lost 20 times under load (on_error: %s): nobody waits 500 ms, and the sums are right',
    async onError => {
      await using server = await startRedis()
      const instances = await Promise.all([1, 2, 3].map(() => openInstance(server.url, { onError, beatMs: 100 })))
      const account = key(1_000_000_000)
      const over = Promise.withResolvers<void>()
      const load = storm({ instances, account, ways: 60, stopped: over.promise })
      for (let loss = 0; loss < 20; loss++) {
        await Bun.sleep(Math.random() * 1000)
        if (loss % 4 === 0) {
          server.freeze()
          await Bun.sleep(Math.random() * 3000)
          server.thaw()
        } else if (loss % 4 === 1) {
          await server.kill()
          await Bun.sleep(Math.random() * 3000)
          await server.restart()
        } else if (loss % 4 === 2) await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
        else await server.command('FLUSHALL')
        await Promise.all(instances.map(({ until }) => until('up')))
      }
      over.resolve()
      const report = await load
      console.log(
        `on_error ${onError}: ${report.granted} granted, ${report.denied} denied, slowest ${report.slowest.toFixed(0)} ms, ${report.settled} tokens`,
      )
      expect(report.errors).toEqual([])
      expect(report.slowest).toBeLessThan(500)
      await Bun.sleep(2000)
      for (const instance of instances) {
        expect(await instance.ledger.balance(account)).toMatchObject({ used: report.settled, reserved: 0 })
        await instance[Symbol.asyncDispose]()
      }
    },
    300_000,
  )

  test('storms over three instances never spend more than the limit, 20 times', async () => {
    await using server = await startRedis()
    for (let round = 0; round < 20; round++) {
      await server.command('FLUSHALL')
      const instances = await Promise.all(
        [1, 2, 3].map(() => openInstance(server.url, { onError: 'deny', answerWithinMs: 10_000, beatMs: round % 2 ? 1 : 50 })),
      )
      const account = key(20_000)
      const stopped = Bun.sleep(2500)
      if (round % 4 === 3) void Bun.sleep(500).then(() => server.command('SCRIPT', 'FLUSH'))
      const report = await storm({ instances, account, ways: 60, stopped })
      expect(report).toMatchObject({ settled: 20_000, most: 20_000, denied: 0, errors: [] })
      for (const instance of instances) await instance[Symbol.asyncDispose]()
    }
  }, 300_000)

  test('what it costs: reservations and settlements a second, and leases', async () => {
    await using server = await startRedis()
    await using instance = await openInstance(server.url)
    const { ledger, link } = instance
    const leases = redisLeases({ link })
    const steps: Readonly<Record<string, () => Promise<unknown>>> = {
      'reserve, settle': () => spend(ledger, key(1e15, 1)),
      'reserve, settle without a limit': () => spend(ledger, key(null, 2)),
      'take a lease, release it': async () => {
        const answer = await leases.take('k', 1000)
        if (answer.granted) answer.lease.release()
      },
    }
    for (const [name, step] of Object.entries(steps)) for (const ways of [1, 50]) console.log(await measure(name, step, ways))
    await leases.close()
    expect(link.state).toBe('up')
  }, 60_000)

  test('10,000 keys are told again within seconds of a loss', async () => {
    await using server = await startRedis()
    await using instance = await openInstance(server.url)
    await using watcher = await openLink(server.url)
    for (let keyId = 1; keyId <= 10_000; keyId++) void spend(instance.ledger, key(null, keyId))
    const told = async () => Number(await watcher.link.call('exists', ['gatehouse:ledger:10000:total'])) === 1
    while (!(await told())) await Bun.sleep(10)
    await server.command('FLUSHALL')
    const from = performance.now()
    const size = async () => Number(await server.command('DBSIZE'))
    while ((await size()) < 30_000) await Bun.sleep(50)
    console.log(`10,000 keys told again after ${(performance.now() - from).toFixed(0)} ms`)
    expect(performance.now() - from).toBeLessThan(10_000)
  }, 60_000)
})

async function spend(ledger: Ledger, account: Account): Promise<void> {
  const grant = await ledger.reserve(account, { tokens: 100, estimate: 10 })
  if (!grant.granted) throw new Error('refused')
  await ledger.settle(grant.reservation, 50)
}

async function measure(name: string, step: () => Promise<unknown>, ways: number): Promise<string> {
  const times: number[] = []
  const cpu = process.cpuUsage()
  const from = performance.now()
  const walk = async () => {
    while (performance.now() - from < 2000) {
      const at = performance.now()
      await step()
      times.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: ways }, walk))
  const perSecond = times.length / 2
  const { user, system } = process.cpuUsage(cpu)
  const sorted = times.sort((a, b) => a - b)
  const at = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(3)
  return `${name}, ${ways} at a time: ${perSecond.toFixed(0)}/s, ${((user + system) / times.length).toFixed(1)} µs of CPU, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
}
