import { expect } from 'bun:test'
import { join } from 'node:path'
import { ledgerModel, type ModelRequest } from '../../../records/ledger/testing/model.ts'
import { ledgerFolder, openLedgerDatabase } from '../../../records/ledger/testing/open-ledger.ts'
import type { Account, Period, Reservation } from '../../../records/ledger.ts'
import { seededRandom } from '../../../testing/random.ts'
import type { RedisServer } from '../../../testing/redis.ts'
import { type Instance, openInstance } from './open-instance.ts'

/** A busy machine must not look like a loss. */
const answerWithinMs = 1000

/** Names the windows whose sum is not that of their instances. */
const checkSums = `
local wrong = {}
for _, hash in ipairs(redis.call('KEYS', 'gatehouse:ledger:*')) do
  local all, used, open, sum = redis.call('HGETALL', hash), 0, 0, ''
  for index = 1, #all, 2 do
    if all[index] == 'sum' then sum = all[index + 1] else
      local _, u, o, _, l = string.match(all[index + 1], '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
      used, open = used + u + l, open + o
      if tonumber(u) < 0 or tonumber(o) < 0 or tonumber(l) < 0 then table.insert(wrong, hash .. ' below nothing') end
    end
  end
  if sum ~= string.format('%.17g %.17g', used, open) then table.insert(wrong, hash .. ' ' .. sum) end
end
return wrong`

/** What may happen besides requests. */
export type Mishap = 'flush' | 'script flush' | 'cut' | 'kill' | 'snapshot' | 'freeze' | 'restart instance'

export interface WalkReport {
  readonly mishaps: number
  readonly refusals: number
  readonly grants: number
}

/**
 * Random steps on several instances over one Redis and on the model of one ledger. While all is well they must agree after
 * each step; after a mishap, as soon as everybody has said how things stand.
 */
export async function walkInstances(server: RedisServer, seed: number, steps: number, mishaps: readonly Mishap[]): Promise<WalkReport> {
  await server.command('FLUSHALL')
  await server.command('SAVE') // or a kill would bring back what an earlier walk saved
  const random = seededRandom(seed)
  const below = (most: number) => Math.floor(random() * most)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const clock = { now: Date.UTC(2026, 0, 29, 20) }
  const model = ledgerModel()
  const folders = [ledgerFolder(), ledgerFolder(), ledgerFolder()]
  const start = (folder: string) => openInstance(server.url, { clock, folder, beatMs: 20, answerWithinMs })
  const instances: Instance[] = await Promise.all(folders.map(({ path }) => start(path)))
  const known = new Map<ModelRequest, { readonly at: number; reservation: Reservation }>()
  const report = { mishaps: 0, refusals: 0, grants: 0 }
  const losesRedis = mishaps.some(mishap => mishap === 'kill' || mishap === 'cut' || mishap === 'freeze')

  // each key has its period: others are told a while later
  const periods: readonly Period[] = ['total', 'month', 'day']
  const periodOf = (keyId: number) => periods[keyId - 1] as Period
  const anyAccount = (): Account => {
    const keyId = 1 + below(3)
    return { keyId, period: periodOf(keyId), limit: pick([null, 0, 2000, 5000, 20_000, 100_000]) }
  }
  const anyBounds = () => ({ tokens: below(400), estimate: below(50) })
  const sent = async () => {
    await new Promise<void>(setImmediate)
    await Promise.all(instances.map(({ link }) => link.call('get', ['gatehouse:probe'])))
  }
  const allAccounts = [1, 2, 3].flatMap(keyId => periods.map(period => ({ keyId, period, limit: 1_000_000_000 })))
  const differences = async (accounts: readonly Account[]) => {
    const found: unknown[] = []
    for (const account of accounts) {
      const expected = model.balance(account, clock.now)
      for (const [at, { ledger }] of instances.entries()) {
        const balance = await ledger.balance(account)
        if (!Bun.deepEquals(balance, expected)) found.push({ at, account, balance, expected })
      }
    }
    return found
  }
  const comeToAgree = async (why: string, accounts: readonly Account[] = allAccounts) => {
    const until = performance.now() + 10_000
    for (;;) {
      const found = await differences(accounts)
      if (found.length === 0) return
      if (performance.now() > until) expect({ seed, why, found }).toEqual({ seed, why, found: [] })
      await Bun.sleep(10)
    }
  }

  const restart = async (at: number) => {
    const { folder } = instances[at] as Instance
    await instances[at]?.die()
    const database = openLedgerDatabase(join(folder, 'ledger.db'))
    const rows = database.query<{ id: number; estimate: number }, []>('SELECT id, estimate FROM ledger_open').all()
    database.close(true)
    for (const [request, of] of [...known]) {
      if (of.at !== at) continue
      const row = rows.find(({ id }) => id === of.reservation.id)
      if (row) model.settle(request, row.estimate)
      else model.release(request)
      known.delete(request)
    }
    const started = await start(folder)
    instances[at] = started
    // what was reserved too short a time ago to be on the disk is charged by the others until the key is used here again
    for (const keyId of [1, 2, 3]) {
      const grant = await started.ledger.reserve({ keyId, period: periodOf(keyId), limit: null }, { tokens: 1, estimate: 1 })
      if (grant.granted) started.ledger.release(grant.reservation)
    }
  }
  const befall = async (mishap: Mishap) => {
    report.mishaps++
    if (mishap === 'flush') await server.command('FLUSHALL')
    else if (mishap === 'script flush') await server.command('SCRIPT', 'FLUSH')
    else if (mishap === 'cut') await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    else if (mishap === 'snapshot') await server.command('SAVE')
    else if (mishap === 'kill') await server.restart()
    else if (mishap === 'restart instance') await restart(below(instances.length))
    else {
      server.freeze()
      await Bun.sleep(answerWithinMs)
      await someSteps(5)
      server.thaw()
    }
    if (mishap === 'cut' || mishap === 'kill') await someSteps(5)
    await Promise.all(instances.map(({ until }) => until('up')))
    await comeToAgree(mishap)
  }
  // while Redis cannot be asked what is granted is not known beforehand: the model follows
  const someSteps = async (count: number) => {
    for (let step = 0; step < count; step++) {
      const at = below(instances.length)
      const account = { ...anyAccount(), limit: null }
      const bounds = anyBounds()
      const grant = await (instances[at] as Instance).ledger.reserve(account, bounds)
      const request = model.reserve(account, clock.now, bounds)
      if (grant.granted && request) known.set(request, { at, reservation: grant.reservation })
    }
  }

  await using _ = {
    async [Symbol.asyncDispose]() {
      for (const instance of instances) await instance[Symbol.asyncDispose]()
      for (const folder of folders) folder[Symbol.dispose]()
    },
  }
  for (let step = 0; step < steps; step++) {
    const [request, of] = pick([...known]) ?? []
    const kind = random()
    if (kind < 0.4 || !request || !of) {
      const [at, account, bounds] = [below(instances.length), anyAccount(), anyBounds()]
      const grant = await (instances[at] as Instance).ledger.reserve(account, bounds)
      const expected = model.reserve(account, clock.now, bounds)
      expect({ seed, step, granted: grant.granted }).toEqual({ seed, step, granted: expected !== undefined })
      if (grant.granted && expected) known.set(expected, { at, reservation: grant.reservation })
      else if (!grant.granted) expect(grant.balance).toEqual(model.balance(account, clock.now))
      report[grant.granted ? 'grants' : 'refusals']++
    } else {
      const { ledger } = instances[of.at] as Instance
      if (kind < 0.5) {
        const bounds = anyBounds()
        expect((await ledger.extend(of.reservation, bounds)).granted).toBe(model.extend(request, bounds))
      } else if (kind < 0.8) {
        const tokens = below(500)
        model.settle(request, tokens)
        known.delete(request)
        await ledger.settle(of.reservation, tokens)
      } else if (kind < 0.93) {
        model.release(request)
        known.delete(request)
        ledger.release(of.reservation)
      } else if (kind < 0.96) clock.now += below(30 * 3_600_000)
      else await befall(pick(mishaps))
    }
    await sent()
    if (step % 7 === 0) {
      const own = allAccounts.filter(({ keyId, period }) => periodOf(keyId) === period)
      // where Redis is lost now and then, a busy machine may lose it once more, and then they agree as soon as all have told it
      if (losesRedis) await comeToAgree(`step ${step}`, own)
      else expect({ seed, step, found: await differences(own) }).toEqual({ seed, step, found: [] })
      expect(await server.command('EVAL', checkSums, '0')).toEqual([])
    }
  }
  return report
}
