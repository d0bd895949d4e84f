import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../../core/testing/random.ts'
import { type AdmissionOptions, createAdmission, type Readiness, type Ticket } from './admission.ts'

interface Place {
  state: Readiness
  lastUsed: number
  /** Who has a ticket and waits for the process. */
  readonly atDoor: (() => void)[]
  readonly starts: number[]
}

interface House {
  readonly room: number
  readonly loadMs: number
  /** Names only the least recently used of those that would have to go, not all of them. */
  readonly namesOne?: boolean
  readonly options?: Partial<AdmissionOptions>
}

/** Models that share a room, and processes that take time to start; all of it in a time of its own. */
function houseOf({ room, loadMs, namesOne = false, options = {} }: House) {
  let now = 0
  const events: { at: number; run: () => void }[] = []
  const after = (ms: number, run: () => void) => {
    events.push({ at: now + ms, run })
  }
  const places = new Map<string, Place>()
  const placeOf = (model: string) => {
    const place = places.get(model) ?? { state: 'stopped', lastUsed: 0, atDoor: [], starts: [] }
    places.set(model, place)
    return place
  }
  const running = () => [...places].filter(([, { state }]) => state !== 'stopped')
  const byAge = () => running().toSorted(([, a], [, b]) => a.lastUsed - b.lastUsed)
  const line: string[] = []

  const admission = createAdmission({
    slotsOf: () => 2,
    weightOf: () => 1,
    limits: { maxLength: 1000, maxPerKey: 1000, maxWaitMs: Number.POSITIVE_INFINITY },
    readinessOf: model => placeOf(model).state,
    blockersOf(model) {
      if (placeOf(model).state !== 'stopped' || running().length < room) return []
      const others = byAge()
      if (others.some(([name, { state }]) => state === 'ready' && admission.claims(name) === 0)) return []
      return others.slice(0, namesOne ? 1 : undefined).map(([name]) => name)
    },
    onRest: () => look(),
    swapBound: { mostAhead: 20, longestMs: 500 },
    now: () => now,
    ...options,
  })
  /** What the supervisor does: the first in its line, and the least recently used of those that are idle goes for it. */
  const look = () => {
    const [model] = line
    if (model === undefined) return
    if (running().length >= room) {
      const idle = byAge().find(([name, { state }]) => state === 'ready' && admission.claims(name) === 0)
      if (!idle) return
      idle[1].state = 'stopped'
    }
    line.shift()
    const place = placeOf(model)
    place.state = 'starting'
    place.starts.push(now)
    after(loadMs, () => {
      place.state = 'ready'
      place.lastUsed = now
      for (const enter of place.atDoor.splice(0)) enter()
      admission.look()
      look()
    })
    look()
  }
  const log: { model: string; asked: number; granted: number; begun: number }[] = []
  const serve = (model: string, asked: number, ticket: Ticket, ms: number, ended: () => void) => {
    const place = placeOf(model)
    const granted = now
    const begin = () => {
      log.push({ model, asked, granted, begun: now })
      after(ms, () => {
        place.lastUsed = now
        ticket.release(50)
        ended()
        look()
      })
    }
    if (place.state === 'ready') return begin()
    place.atDoor.push(begin)
    if (place.state === 'stopped' && !line.includes(model)) {
      line.push(model)
      look()
    }
  }
  return {
    log,
    placeOf,
    admission,
    after,
    ask(model: string, ms: number, ended = () => {}, { key = 'k', signal = new AbortController().signal } = {}) {
      const asked = now
      const entry = admission.enter({ key, tokens: 50, model, signal })
      if (entry.state === 'admitted') serve(model, asked, entry, ms, ended)
      else if (entry.state === 'waiting') entry.ready.then(ticket => serve(model, asked, ticket as Ticket, ms, ended)).catch(ended)
      else throw new Error(entry.reason)
    },
    now: () => now,
    async run(until: number) {
      for (;;) {
        for (let i = 0; i < 4; i++) await Promise.resolve() // tickets arrive by promise
        const next = events.reduce<(typeof events)[number] | undefined>(
          (one, other) => (one && one.at <= other.at ? one : other),
          undefined,
        )
        if (!next || next.at > until) {
          now = until
          return events.length
        }
        events.splice(events.indexOf(next), 1)
        now = next.at
        next.run()
        admission.look()
      }
    },
  }
}

type Simulation = ReturnType<typeof houseOf>
/** So many requests at a time, for ever, until told otherwise. */
function saturate(house: Simulation, model: string, width: number, ms: number) {
  let on = true
  const again = () => {
    if (on) house.ask(model, ms, again)
  }
  for (let i = 0; i < width; i++) again()
  return () => {
    on = false
  }
}

const begunBetween = ({ log }: Simulation, model: string, from: number, to: number) =>
  log.filter(one => one.model === model && one.granted >= from && one.granted < to).length

describe('a model that needs a swap', () => {
  test('waits for so many requests of a busy one, and no more', async () => {
    const house = houseOf({ room: 1, loadMs: 100, options: { swapBound: { mostAhead: 20, longestMs: 1e9 } } })
    saturate(house, 'hot', 6, 10)
    await house.run(1005)
    house.ask('cold', 10)
    await house.run(1e4)
    const started = house.placeOf('cold').starts[0] as number
    expect(begunBetween(house, 'hot', 1005, started)).toBe(20)
    expect(started).toBe(1110) // the two that ran when it came, and ten rounds of two at a time
  })

  test('or for so long', async () => {
    const house = houseOf({ room: 1, loadMs: 100, options: { swapBound: { mostAhead: 1e9, longestMs: 500 } } })
    saturate(house, 'hot', 6, 30)
    await house.run(1000)
    house.ask('cold', 10)
    await house.run(1e4)
    const started = house.placeOf('cold').starts[0] as number
    expect(started).toBeWithin(1500, 1561)
    expect(begunBetween(house, 'hot', 1500, started)).toBe(0)
  })

  test('does not wait at all when the others are idle, even between two requests', async () => {
    const house = houseOf({ room: 1, loadMs: 100 })
    house.ask('hot', 10)
    await house.run(500)
    house.ask('cold', 10)
    expect(house.placeOf('cold').starts).toEqual([500])
  })

  test('holds up only those whose room it needs', async () => {
    const house = houseOf({
      ...{ room: 2, loadMs: 100 },
      options: {
        swapBound: { mostAhead: 4, longestMs: 1e9 },
        blockersOf: model => (model === 'cold' && house.placeOf(model).state === 'stopped' ? ['old', 'cold'] : []),
      },
    })
    saturate(house, 'old', 4, 1000)
    saturate(house, 'new', 4, 100)
    await house.run(5150)
    house.ask('cold', 10)
    const held = () => Object.fromEntries(house.admission.list().map(({ model, held }) => [model, held]))
    expect(held()).toEqual({ old: false, new: false, cold: false })
    await house.run(7150)
    expect(held()).toEqual({ old: true, new: false, cold: false })
    const before = house.log.filter(({ model }) => model === 'new').length
    await house.run(8050)
    expect(house.log.filter(({ model }) => model === 'new').length).toBeGreaterThan(before + 10)
    expect(house.placeOf('cold').starts).toHaveLength(0) // two of them still run
    await house.run(8150)
    expect(house.placeOf('cold').starts).toHaveLength(1)
    expect(held().old).toBe(false)
  })

  test('waits for no more of them when the policy changes its mind all the time', async () => {
    const house = houseOf({ room: 2, loadMs: 10, namesOne: true, options: { swapBound: { mostAhead: 20, longestMs: 1e9 } } })
    // the one that has just ended a request is named no more, and begins another one
    saturate(house, 'a', 4, 100)
    saturate(house, 'b', 4, 70)
    await house.run(5005)
    house.ask('cold', 10)
    await house.run(9000)
    const started = house.placeOf('cold').starts[0] as number
    const ahead = ['a', 'b'].reduce((sum, model) => sum + begunBetween(house, model, 5005, started), 0)
    expect(ahead).toBeWithin(20, 41)
  })

  test('once all who want it have left, the others go on at once', async () => {
    const house = houseOf({ room: 1, loadMs: 100, options: { swapBound: { mostAhead: 2, longestMs: 1e9 } } })
    const controller = new AbortController()
    const hot = Array.from({ length: 8 }, () => house.admission.enter({ key: 'k', tokens: 50, model: 'hot', signal: controller.signal }))
    house.placeOf('hot').state = 'ready'
    const cold = house.admission.enter({ key: 'k', tokens: 50, model: 'cold', signal: controller.signal }) as Ticket
    const row = () => house.admission.list()[0]
    ;(hot[0] as Ticket).release(1)
    ;(hot[1] as Ticket).release(1)
    for (let i = 0; i < 3; i++) await Promise.resolve()
    expect(row()).toMatchObject({ inFlight: 2, queued: 4, held: true })
    expect(house.admission.claims('hot')).toBe(2)
    cold.release(0)
    expect(row()).toMatchObject({ inFlight: 2, queued: 4, held: false })
    expect(house.admission.claims('hot')).toBe(6)
  })

  test('its start frees the others, and those it has driven out come back', async () => {
    const house = houseOf({ room: 1, loadMs: 100 })
    let hot = 0
    for (let i = 0; i < 60; i++) house.ask('hot', 30, () => hot++)
    house.ask('cold', 10)
    await house.run(1e5)
    expect(hot).toBe(60)
    expect([house.placeOf('hot').starts.length, house.placeOf('cold').starts.length]).toEqual([2, 1])
  })
})

describe('models that all want the same room', () => {
  test.each([false, true])('two of them in turns, each for as long as the bound says (the policy names one: %p)', async namesOne => {
    const house = houseOf({ room: 1, loadMs: 100, namesOne })
    saturate(house, 'a', 6, 10)
    saturate(house, 'b', 6, 10)
    await house.run(20_000)
    const turns = [...house.placeOf('a').starts, ...house.placeOf('b').starts].toSorted((one, other) => one - other)
    expect(turns.length).toBeGreaterThan(40)
    // in each turn at least the twenty that may go ahead, half of which would be thrashing
    for (const [index, begin] of turns.slice(0, -1).entries()) {
      const end = turns[index + 1] as number
      const served = house.log.filter(({ begun }) => begun >= begin && begun < end).length
      expect(served).toBeWithin(20, 28)
    }
  })

  test.each([false, true])('two busy ones cannot pass the wait on to each other for ever (the policy names one: %p)', async namesOne => {
    const house = houseOf({ room: 2, loadMs: 100, namesOne })
    // each always has two requests that overlap, so that neither is ever idle by itself
    for (const model of ['a', 'b']) {
      saturate(house, model, 1, 30)
      house.after(15, () => saturate(house, model, 1, 30))
    }
    await house.run(3000)
    house.ask('c', 10)
    await house.run(6000)
    expect(house.placeOf('c').starts[0]).toBeWithin(3000, 3600)
  })

  test('five in a room for one: the wait of each is bounded by the turns before it', async () => {
    const house = houseOf({ room: 1, loadMs: 100 })
    const models = ['a', 'b', 'c', 'd', 'e']
    for (const model of models) saturate(house, model, 3, 20)
    await house.run(60_000)
    const turn = 500 + 100 + 2 * 20
    for (const model of models) {
      const { starts } = house.placeOf(model)
      expect(starts.length).toBeGreaterThan(10)
      for (const [index, start] of starts.slice(1).entries()) expect(start - (starts[index] as number)).toBeLessThan((5 + 1) * turn)
    }
  })

  test('random houses: everybody is served, and nobody has to wait beyond what the bounds add up to', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(seed)
      const room = 1 + Math.floor(random() * 3)
      const house = houseOf({ room, loadMs: 20 + random() * 200, namesOne: random() < 0.5 })
      let asked = 0
      let ended = 0
      const longest = 5 + random() * 60
      const requests = 400
      for (let i = 0; i < requests; i++) {
        house.after(random() * 8000, () => {
          asked++
          const controller = new AbortController()
          const model = `m${Math.floor(random() ** 2 * 6)}`
          house.ask(model, random() * longest, () => ended++, { key: `k${i % 4}`, signal: controller.signal })
          if (random() < 0.15) house.after(random() * 300, () => controller.abort(new Error('left')))
        })
      }
      const left = await house.run(1e6)
      expect([asked, ended, left]).toEqual([requests, requests, 0])
      expect(house.admission.list().every(({ inFlight, queued, held }) => inFlight + queued === 0 && !held)).toBe(true)
    }
  })
})
