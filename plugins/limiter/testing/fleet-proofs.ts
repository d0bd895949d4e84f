import type { FakeServer } from '../../../core/testing/fake-server.ts'
import { comesTrue } from '../../../core/testing/keyed.ts'
import { chat, type Fleet, type FleetKey } from './fleet.ts'

/** Asks both with 20 callers for a while; how many passed, and in how many seconds, counted from before the first to after the last. */
export async function passedIn({ members }: Fleet, key: FleetKey, ms: number) {
  const from = performance.now()
  let passed = 0
  const other: number[] = []
  const caller = async (_: unknown, at: number) => {
    for (let turn = at; performance.now() - from < ms || turn === at; turn++) {
      const { status } = await chat(members[turn % 2] ?? members[0], key)
      if (status === 200) passed++
      // 401 until both know the key; 503 when Redis gets no processor for a quarter of a second
      else if (status !== 429 && status !== 401 && status !== 503) other.push(status)
    }
  }
  await Promise.all(Array.from({ length: 20 }, caller))
  return { passed, seconds: (performance.now() - from) / 1000, other }
}

/** Rate 60 a minute over both: 60 ≤ passed ≤ 60 + elapsed seconds. Says what is wrong. */
export async function rateHolds(fleet: Fleet, ms: number): Promise<string[]> {
  const { passed, seconds, other } = await passedIn(fleet, await fleet.makeKey({ rate_limit: 60 }), ms)
  return passed >= 60 && passed <= 60 + seconds && other.length === 0 ? [] : [`${passed} passed in ${seconds} s, and ${other}`]
}

/** How long a key that is revoked at one is let in by the other, which is asked all the time. */
export async function revokedAfterMs(fleet: Fleet): Promise<number> {
  const [one, other] = fleet.members
  const key = await fleet.makeKey()
  await comesTrue(async () => (await chat(other, key)).status === 200, 'the other knows the key')
  await fleet.admin(one, 'DELETE', `/admin/keys/${key.id}`)
  const from = performance.now()
  let last = from
  for (;;) {
    const asked = performance.now()
    const { status } = await chat(other, key)
    if (status === 401) return last - from
    if (status !== 200) throw new Error(`answered with ${status}`)
    if (asked - from > 10_000) throw new Error('it is never refused')
    last = asked
  }
}

/** A key that may have five at a time, asked for forty over both: five are held, and then given back. Says what is wrong. */
export async function placesHold(fleet: Fleet, upstream: FakeServer): Promise<string[]> {
  const { members } = fleet
  const key = await fleet.makeKey({ max_concurrency: 5 })
  for (const member of members) await comesTrue(async () => (await chat(member, key)).status === 200, 'both know the key')
  const holding = async (requests: number) => {
    const before = upstream.requests.length
    let refused = 0
    const answers = Array.from({ length: requests }, async (_, at) => {
      const ask = () => chat(members[at % 2] ?? members[0], key, { model: 'hold', stream: at % 3 === 0 })
      let { status } = await ask()
      while (status === 503) status = (await ask()).status
      if (status === 429) refused++
      return status
    })
    const held = () => upstream.requests.length - before
    await comesTrue(() => held() + refused === requests, `all are decided: ${requests}`)
    const most = held()
    upstream.release()
    const others = (await Promise.all(answers)).filter(status => status !== 200 && status !== 429)
    return others.length > 0 ? others.join() : most
  }
  await comesTrue(async () => (await holding(5)) === 5, 'what both have tried is given back')
  const held = await holding(40)
  await comesTrue(async () => (await holding(5)) === 5, 'all places are given back')
  return held === 5 ? [] : [`${held} were held at a time`]
}
