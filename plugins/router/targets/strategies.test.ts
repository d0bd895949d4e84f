import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../../core/testing/random.ts'
import type { Candidate, Facts, Warmth } from './candidate.ts'
import { createDecayedMedian } from './decayed-median.ts'
import { exploreEvery, fastest } from './fastest.ts'
import { leastBusy } from './least-busy.ts'
import { strategies } from './strategies.ts'
import { warm } from './warm.ts'
import { weighted } from './weighted.ts'

type Random = () => number
const targetsOf = (weights: Record<string, number>, slots?: Record<string, number>): Candidate[] =>
  Object.entries(weights).map(([id, weight]) => ({ id, weight, ...(slots?.[id] !== undefined && { slots: slots[id] as number }) }))
const ids = (targets: readonly Candidate[]) => targets.map(({ id }) => id).join('')
const factsOf = (facts: Partial<Facts> = {}, seed = 1): Facts => ({
  ...{ load: () => 0, firstTokenMs: () => undefined, warmth: () => 'loaded', passedOver: () => 0, remembered: () => undefined },
  random: seededRandom(seed),
  ...facts,
})

test('every strategy gives back all targets, each once, whatever they are', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed)
    const targets = Array.from({ length: Math.floor(random() * 6) }, (_, index) => ({
      ...{ id: String.fromCharCode(97 + index), weight: random() < 0.2 ? 0 : random() * 4 },
      ...(random() < 0.5 && { slots: 1 + Math.floor(random() * 8) }),
    }))
    const facts = factsOf({
      ...{ load: () => Math.floor(random() * 9), firstTokenMs: () => (random() < 0.3 ? undefined : random() * 1000) },
      warmth: () => (['loaded', 'loading', 'cold'] as const)[Math.floor(random() * 3)] as Warmth,
      passedOver: () => (random() < 0.1 ? Number.POSITIVE_INFINITY : random() * 100),
      random,
    })
    const affinity = random() < 0.5 ? { hashes: [BigInt(seed)], home: 0 } : undefined
    for (const [name, strategy] of Object.entries(strategies)) {
      const order = strategy(targets, facts, affinity)
      expect([...ids(order)].toSorted().join(''), name).toBe(ids(targets))
      // one of weight 0 is there for when no other is left
      const others = order.findIndex(({ weight }) => weight === 0)
      if (name !== 'failover' && others >= 0) expect(order.slice(others).every(({ weight }) => weight === 0)).toBe(true)
    }
  }
})

test('failover: as configured', () => {
  expect(ids(strategies.failover(targetsOf({ c: 1, a: 5, b: 0 }), factsOf(), undefined))).toBe('cab')
})

describe('weighted', () => {
  const share = (weights: Record<string, number>, place: number, draws = 40_000) => {
    const random = seededRandom(7)
    const counts: Record<string, number> = Object.fromEntries(Object.keys(weights).map(id => [id, 0]))
    for (let i = 0; i < draws; i++) {
      const { id } = weighted(targetsOf(weights), { random })[place] as Candidate
      counts[id] = (counts[id] as number) + 1 / draws
    }
    return counts
  }

  test('each is first for its share', () => {
    const counts = share({ a: 1, b: 2, c: 7 }, 0)
    expect(counts.a).toBeCloseTo(0.1, 1.7)
    expect(counts.b).toBeCloseTo(0.2, 1.7)
    expect(counts.c).toBeCloseTo(0.7, 1.7)
  })

  test('and second for its share among those that are left, so that a fallback spreads as well', () => {
    const counts = share({ a: 1, b: 2, c: 7 }, 1)
    const [a, b, c] = [0.1, 0.2, 0.7]
    expect(counts.a).toBeCloseTo((b * a) / (1 - b) + (c * a) / (1 - c), 1.7)
    expect(counts.b).toBeCloseTo((a * b) / (1 - a) + (c * b) / (1 - c), 1.7)
  })

  test('one of weight 0 never goes first', () => {
    expect(share({ a: 0, b: 1, c: 3 }, 2, 2000).a).toBeCloseTo(1)
  })
})

describe('least-busy', () => {
  const first = (targets: readonly Candidate[], loads: Record<string, number>) =>
    leastBusy(targets, factsOf({ load: id => loads[id] ?? 0 }))[0]?.id

  test('the fewest requests', () => {
    expect(first(targetsOf({ a: 1, b: 1, c: 1 }), { a: 3, b: 1, c: 2 })).toBe('b')
  })

  test('by weight', () => {
    expect(first(targetsOf({ a: 4, b: 1 }), { a: 6, b: 1 })).toBe('a') // 7 of 4 is less than 2 of 1
    expect(first(targetsOf({ a: 4, b: 1 }), { a: 7, b: 0 })).toBe('b')
  })

  test('by slots when all are known, and not when only some are', () => {
    expect(first(targetsOf({ a: 1, b: 1 }, { a: 8, b: 2 }), { a: 4, b: 2 })).toBe('a')
    expect(first(targetsOf({ a: 1, b: 1 }, { a: 8 }), { a: 4, b: 2 })).toBe('b')
  })

  test('equals by lot, so that bursts of several gateways do not all begin with the same one', () => {
    const facts = factsOf()
    const firsts = Array.from({ length: 3000 }, () => leastBusy(targetsOf({ a: 1, b: 1, c: 1 }), facts)[0]?.id)
    for (const id of 'abc') expect(firsts.filter(one => one === id).length).toBeWithin(900, 1100)
  })

  test('targets of different speed are filled alike', () => {
    const random = seededRandom(11)
    const speeds: Record<string, number> = { a: 0.05, b: 0.1, c: 0.3 }
    const loads: Record<string, number> = { a: 0, b: 0, c: 0 }
    let differences = 0
    for (let step = 0; step < 5000; step++) {
      if (random() < 0.5) {
        const id = leastBusy(targetsOf({ a: 1, b: 1, c: 1 }), factsOf({ load: id => loads[id] as number, random }))[0]?.id as string
        loads[id] = (loads[id] as number) + 1
      }
      for (const id of 'abc') for (let i = loads[id] as number; i > 0; i--) if (random() < (speeds[id] as number)) (loads[id] as number)--
      for (const id of 'abc') loads[id] = Math.max(0, loads[id] as number)
      differences = Math.max(differences, Math.max(...Object.values(loads)) - Math.min(...Object.values(loads)))
    }
    expect(differences).toBeLessThan(6)
  })
})

describe('warm', () => {
  test('loaded before loading before cold, each as configured', () => {
    const states: Record<string, Warmth> = { a: 'cold', b: 'loading', c: 'loaded', d: 'cold', e: 'loaded' }
    const targets = targetsOf({ a: 1, b: 1, c: 1, d: 1, e: 1 })
    expect(ids(warm(targets, { warmth: id => states[id] as Warmth }))).toBe('cebad')
    expect(ids(warm(targets, { warmth: () => 'loaded' }))).toBe('abcde')
  })
})

describe('fastest', () => {
  /** Requests one after the other, in a world where each target has its time. */
  const world = (times: (id: string, request: number) => number, random: Random) => {
    const names = ['a', 'b', 'c', 'd']
    const state = new Map(names.map(id => [id, { passedOver: Number.POSITIVE_INFINITY, median: createDecayedMedian(() => now) }]))
    let now = 0
    const tries: Record<string, number[]> = { a: [], b: [], c: [], d: [] }
    const run = (requests: number) => {
      for (let request = 0; request < requests; request++) {
        now += 100
        const order = fastest(targetsOf({ a: 1, b: 1, c: 1, d: 1 }), {
          ...factsOf({ random }),
          firstTokenMs: id => state.get(id)?.median.value,
          passedOver: id => state.get(id)?.passedOver as number,
        })
        for (const { id } of order) (state.get(id) as { passedOver: number }).passedOver++
        const { id } = order[0] as Candidate
        const one = state.get(id) as { passedOver: number; median: ReturnType<typeof createDecayedMedian> }
        one.passedOver = 0
        one.median.add(times(id, now / 100) * (0.5 + random()))
        tries[id]?.push(now / 100)
      }
    }
    return { run, tries }
  }
  const speeds: Record<string, number> = { a: 400, b: 100, c: 800, d: 3000 }

  test('nearly all requests go to the fastest, and each of the others is tried again and again', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { run, tries } = world(id => speeds[id] as number, seededRandom(seed))
      run(3000)
      expect((tries.b as number[]).length).toBeGreaterThan(3000 * 0.93)
      for (const id of 'acd') {
        const gaps = (tries[id] as number[]).map((at, index, all) => at - (all[index - 1] ?? 0))
        // a time that is due for two at once is one request later for one of them
        expect(Math.max(...gaps)).toBeLessThanOrEqual(exploreEvery * 3 + 3)
      }
    }
  })

  test('one that was never tried is tried at once, once', () => {
    const { run, tries } = world(id => speeds[id] as number, seededRandom(4))
    run(4)
    expect(Object.values(tries).map(({ length }) => length)).toEqual([1, 1, 1, 1])
    const others = factsOf({
      firstTokenMs: id => (id === 'a' ? 100 : undefined),
      passedOver: id => (id === 'c' ? Number.POSITIVE_INFINITY : 0),
    })
    expect(ids(fastest(targetsOf({ a: 1, b: 1, c: 1 }), others))).toBe('cab')
  })

  test('it notices within a few rounds who has become faster or slower', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { run, tries } = world(
        (id, request) => (id === 'd' && request > 500 ? 20 : id === 'b' && request > 500 ? 5000 : (speeds[id] as number)),
        seededRandom(seed),
      )
      run(500)
      const before = (tries.d as number[]).length
      run(2500)
      expect(before).toBeLessThan(20)
      expect((tries.d as number[]).filter(at => at > 2000).length).toBeGreaterThan(900)
    }
  })
})

describe('the usual time', () => {
  test('is the middle, whatever one of them says', () => {
    const median = createDecayedMedian(() => 0)
    expect(median.value).toBeUndefined()
    for (const value of [10, 12, 11, 90_000]) median.add(value)
    expect(median.value).toBe(11)
    for (const value of [13, 14]) median.add(value)
    expect(median.value).toBe(12)
  })

  test('what is old counts less', () => {
    const clock = { ms: 0 }
    const median = createDecayedMedian(() => clock.ms)
    for (let i = 0; i < 20; i++) median.add(1000)
    clock.ms += 600_000
    median.add(50) // of the twenty there is a thirty-second left
    expect(median.value).toBe(50)
  })

  test('only the last 32 are kept', () => {
    const median = createDecayedMedian(() => 0)
    for (let i = 0; i < 100; i++) median.add(1000)
    for (let i = 0; i < 17; i++) median.add(10)
    expect(median.value).toBe(10)
  })
})
