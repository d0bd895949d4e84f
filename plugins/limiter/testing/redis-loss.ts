import type { FakeServer } from '../../../core/testing/fake-server.ts'
import { comesTrue } from '../../../core/testing/keyed.ts'
import type { RedisServer } from '../../../core/testing/redis.ts'
import { chat, type Fleet } from './fleet.ts'
import { rateHolds } from './fleet-proofs.ts'

const callers = 40
const allLimits = { quota: 1_000_000_000, tokens_per_minute: 1_000_000_000, rate_limit: 1_000_000, max_concurrency: 1000 }

/** What came of requests while Redis was lost, time after time. */
export interface LossReport {
  readonly answers: Readonly<Record<number, number>>
  /** The slowest of them, less what this process itself was held up in the meantime. */
  readonly slowestMs: number
  readonly wrong: readonly string[]
}

/**
 * Kills and freezes Redis under the load of 40 callers with every limit there is, over both; each time until it is back and
 * limits are shared again.
 */
export async function loseRedis(fleet: Fleet, redis: RedisServer, upstream: FakeServer, times: number): Promise<LossReport> {
  const { members } = fleet
  const keys = await Promise.all(Array.from({ length: 4 }, () => fleet.makeKey(allLimits)))
  for (const key of keys)
    for (const member of members) await comesTrue(async () => (await chat(member, key)).status === 200, 'both know the key')

  const answers: Record<number, number> = {}
  const wrong: string[] = []
  const charged = new Map(keys.map(({ id }) => [id, 0]))
  let slowestMs = 0
  const lag = watchLag()
  let over = false
  const caller = async (_: unknown, at: number) => {
    for (let turn = at; !over; turn++) {
      const key = keys[turn % keys.length] as (typeof keys)[number]
      const stream = turn % 3 === 0
      const from = performance.now()
      try {
        const { status, text, ms } = await chat(members[(turn >> 2) % 2] ?? members[0], key, { stream })
        answers[status] = (answers[status] ?? 0) + 1
        slowestMs = Math.max(slowestMs, ms - lag.since(from))
        if (status === 200) charged.set(key.id, (charged.get(key.id) ?? 0) + 18)
        if (status === 500) wrong.push(text)
      } catch (error) {
        wrong.push(String(error))
      }
    }
  }
  const load = Promise.all(Array.from({ length: callers }, caller))
  const health = (wanted: string) =>
    comesTrue(async () => {
      const found = await Promise.all(members.map(async ({ url }) => (await fetch(`${url}/health`)).json() as Promise<{ status: string }>))
      return found.every(({ status }) => status === wanted)
    }, `both say that they are ${wanted}`).catch(error => wrong.push(String(error)))

  for (let time = 0; time < times; time++) {
    await Bun.sleep(300)
    if (time % 2 === 0) await redis.kill()
    else redis.freeze()
    await health('degraded')
    await Bun.sleep(300)
    if (time % 2 === 0) await redis.restart()
    else redis.thaw()
    await health('healthy')
  }
  await Bun.sleep(300)
  over = true
  await load
  lag.stop()
  wrong.push(...(await rateHolds(fleet, 1000)).map(fault => `afterwards: ${fault}`))
  for (const [id, tokens] of charged) {
    const standing = async () =>
      (await (await fleet.admin(members[0], 'GET', `/admin/keys/${id}`)).json()) as { used: number; reserved: number }
    await comesTrue(async () => {
      const { used, reserved } = await standing()
      return used >= tokens && reserved === 0
    }, `key ${id} is charged at least ${tokens}`).catch(async error => wrong.push(`${error}: ${JSON.stringify(await standing())}`))
  }
  if (upstream.streams.some(({ ended }) => ended === undefined)) wrong.push('an upstream call is still open')
  return { answers, slowestMs, wrong }
}

/** How long the event loop of this process was held up, which is not the fault of whoever is asked. */
function watchLag() {
  const everyMs = 10
  const late: { readonly at: number; readonly ms: number }[] = []
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    if (now - last > 2 * everyMs) late.push({ at: now, ms: now - last - everyMs })
    last = now
  }, everyMs)
  return {
    since: (from: number) => late.reduce((sum, { at, ms }) => (at >= from ? sum + ms : sum), 0),
    stop: () => clearInterval(timer),
  }
}
