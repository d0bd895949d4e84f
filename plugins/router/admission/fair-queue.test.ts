import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../../core/testing/random.ts'
import { createFairQueue, type FairQueue } from './fair-queue.ts'
import type { Turn } from './flow.ts'

type Random = () => number
const never = { afterMs: Number.POSITIVE_INFINITY, every: 8 }
const upTo = (random: Random, most: number) => 1 + Math.floor(random() * most)
const arrival = (key: string, tokens: number, weight = 1, at = 0) => ({ item: `${key}:${tokens}`, key, weight, tokens, at })
const keysOf = (queue: FairQueue<string>, count = queue.length) => Array.from({ length: count }, () => queue.draw(0)?.key).join('')

describe('order', () => {
  test('one key: as they came', () => {
    const queue = createFairQueue<string>(never)
    for (const tokens of [5, 1, 3]) queue.add(arrival('a', tokens))
    expect([queue.draw(0), queue.draw(0), queue.draw(0)].map(turn => turn?.tokens)).toEqual([5, 1, 3])
    expect(queue.draw(0)).toBeUndefined()
  })

  test('two keys: tokens count, not requests', () => {
    const queue = createFairQueue<string>(never)
    for (let i = 0; i < 4; i++) queue.add(arrival('a', 300))
    for (let i = 0; i < 8; i++) queue.add(arrival('b', 100))
    expect(keysOf(queue, 8)).toBe('abbbabbb')
  })

  test('a weight of three is three times the tokens', () => {
    const queue = createFairQueue<string>(never)
    for (let i = 0; i < 30; i++) queue.add(arrival('a', 100, 3))
    for (let i = 0; i < 30; i++) queue.add(arrival('b', 100, 1))
    expect(keysOf(queue, 20).replaceAll('b', '')).toHaveLength(15)
  })

  test('who comes into a long queue of another key is next', () => {
    const queue = createFairQueue<string>(never)
    for (let i = 0; i < 100; i++) queue.add(arrival('agent', 1000))
    for (let i = 0; i < 40; i++) queue.draw(0)
    const turn = queue.add(arrival('person', 1000))
    expect(queue.ahead(turn)).toBe(0)
    expect(queue.draw(0)?.key).toBe('person')
  })

  test('nobody saves up turns by staying away', () => {
    const queue = createFairQueue<string>(never)
    queue.settle(queue.pass(arrival('b', 10)), 10)
    const held = queue.pass(arrival('a', 1000))
    for (let i = 0; i < 50; i++) queue.settle(queue.pass(arrival('a', 1000)), 1000)
    for (let i = 0; i < 10; i++) for (const key of ['a', 'b']) queue.add(arrival(key, 1000))
    expect(keysOf(queue, 8).replaceAll('b', '').length).toBeWithin(3, 6)
    queue.settle(held, 1000)
  })

  test('what was charged too much is given back, what was too little is charged', () => {
    const queue = createFairQueue<string>(never)
    for (let i = 0; i < 4; i++) for (const key of ['a', 'b']) queue.add(arrival(key, 100))
    const [a, b] = [queue.draw(0), queue.draw(0)] as [Turn<string>, Turn<string>]
    queue.settle(a, 1)
    queue.settle(b, 250)
    expect(keysOf(queue, 4)).toBe('aaab')
  })

  test('a correction does not count twice when the others have gone on meanwhile', () => {
    const queue = createFairQueue<string>(never)
    const early = queue.pass(arrival('a', 1000))
    for (let i = 0; i < 20; i++) queue.add(arrival('b', 1000))
    for (let i = 0; i < 10; i++) queue.draw(0) // b is at 10,000
    for (let i = 0; i < 9; i++) queue.add(arrival('a', 100)) // and a begins there, whatever it was charged before
    const second = queue.draw(0)
    expect(second?.key).toBe('a')
    queue.settle(early, 0)
    expect(keysOf(queue, 9)).toBe('aaaaaaaab') // not 1000 tokens ahead
    const late = createFairQueue<string>(never)
    const small = late.pass(arrival('a', 1))
    for (let i = 0; i < 20; i++) late.add(arrival('b', 1000))
    for (let i = 0; i < 5; i++) late.draw(0)
    late.pass(arrival('a', 100)) // lifted to b's 4000
    late.settle(small, 4500)
    late.add(arrival('a', 100))
    // 500 of them are more than the lift
    expect(late.draw(0)?.key).toBe('a')
    expect(late.draw(0)?.key).toBe('b')
  })
})

/** Keys come, stay and go; whatever a pair of them gets while both wait is compared. */
function walk(seed: number, options: { slots: number; error: number; ageing?: { afterMs: number; every: number } }) {
  const random = seededRandom(seed)
  const queue = createFairQueue<string>(options.ageing ?? never)
  const weights = { a: 1, b: 1, c: 1, d: 4, e: 4, f: 0.05 }
  const keys = Object.keys(weights) as (keyof typeof weights)[]
  const largest: Record<string, number> = Object.fromEntries(keys.map(key => [key, upTo(random, 500)]))
  const served: Record<string, number> = Object.fromEntries(keys.map(key => [key, 0]))
  const running: { turn: Turn<string>; used: number }[] = []
  const pairs = new Map<string, { low: number; high: number }>()
  const seen = { spread: 0, aged: 0 }
  let mostTokens = 0
  let mostError = 0

  const compare = () => {
    for (const one of keys) {
      for (const other of keys) {
        if (one >= other) continue
        const pair = one + other
        if (queue.lengthOf(one) === 0 || queue.lengthOf(other) === 0) pairs.delete(pair)
        else {
          const difference = (served[one] as number) / weights[one] - (served[other] as number) / weights[other]
          const known = pairs.get(pair) ?? { low: difference, high: difference }
          const window = { low: Math.min(known.low, difference), high: Math.max(known.high, difference) }
          pairs.set(pair, window)
          const same = weights[one] === weights[other]
          if (!same && options.ageing) continue
          const requests = same ? (2 * mostTokens) / weights[one] : mostTokens / weights[one] + mostTokens / weights[other]
          const wrong = options.slots === 1 ? 0 : 2 * options.slots * mostError
          const errors = wrong / Math.min(weights[one], weights[other])
          if (window.high - window.low > requests + errors + 1e-6) {
            throw new Error(`seed ${seed}: ${pair} ${window.high - window.low} > ${requests} + ${errors}`)
          }
          if (same) seen.spread = Math.max(seen.spread, (window.high - window.low) / ((2 * mostTokens) / weights[one]))
        }
      }
    }
  }
  let now = 0
  const begin = (turn: Turn<string>) => {
    const error = Math.floor((random() * 2 - 1) * options.error * turn.tokens)
    const used = Math.max(0, turn.tokens + error)
    mostTokens = Math.max(mostTokens, turn.tokens, used)
    mostError = Math.max(mostError, Math.abs(used - turn.tokens))
    served[turn.key] = (served[turn.key] as number) + turn.tokens
    running.push({ turn, used })
  }
  const end = () => {
    const [ended] = running.splice(Math.floor(random() * running.length), 1)
    if (!ended) return
    const { turn, used } = ended
    queue.settle(turn, used)
    served[turn.key] = (served[turn.key] as number) + used - turn.tokens
  }
  const busy = new Set<string>()
  for (let step = 0; step < 1500; step++) {
    now += 1
    if (random() < 0.02) {
      const key = keys[Math.floor(random() * keys.length)] as string
      if (!busy.delete(key)) busy.add(key)
    }
    for (const key of keys) {
      // who is busy has a request waiting all the time, others send one now and then
      while (busy.has(key) ? queue.lengthOf(key) < 2 : random() < 0.03) {
        const request = arrival(key, upTo(random, largest[key] as number), weights[key], now)
        if (queue.length === 0 && running.length < options.slots) begin(queue.pass(request))
        else queue.add(request)
      }
    }
    compare()
    if (running.length > 0 && random() < 0.9) end()
    compare()
    while (running.length < options.slots) {
      const turn = queue.draw(now)
      if (!turn) break
      begin(turn)
      compare()
    }
  }
  for (const { turn, used } of running) queue.settle(turn, used)
  for (let turn = queue.draw(now); turn; turn = queue.draw(now)) queue.settle(turn, turn.tokens)
  expect(queue.keys).toBe(0)
  return seen.spread
}

describe('while two keys wait', () => {
  const seeds = Array.from({ length: 40 }, (_, index) => index + 1)

  test.each([1, 2, 8])('%i places, bounds exact: equal weights differ by at most two of the largest requests', slots => {
    const spread = Math.max(...seeds.map(seed => walk(seed, { slots, error: 0 })))
    expect(spread).toBeGreaterThan(0.6) // the limit is near, so it is the right one
  })

  test('one place, bounds wrong by any amount: the same for what was really used', () => {
    for (const seed of seeds) walk(seed, { slots: 1, error: 1 })
  })

  test.each([2, 8])('%i places, bounds wrong: beyond that only by what those that run are charged wrongly', slots => {
    for (const seed of seeds) walk(seed, { slots, error: 1 })
  })

  test('ageing does not change that', () => {
    for (const seed of seeds) walk(seed, { slots: 2, error: 0, ageing: { afterMs: 20, every: 3 } })
    for (const seed of seeds) walk(seed, { slots: 1, error: 1, ageing: { afterMs: 0, every: 2 } })
  })
})

describe('a long time with bounds that are wrong', () => {
  /** Four places; each key always has two requests waiting, a new one for each that ends. */
  const run = (keys: Record<string, { bound: number; used: number; weight?: number }>, ends: number) => {
    const queue = createFairQueue<string>(never)
    const served = Object.fromEntries(Object.keys(keys).map(key => [key, 0]))
    const running: Turn<string>[] = []
    const add = (key: string) => queue.add(arrival(key, keys[key]?.bound as number, keys[key]?.weight))
    for (const key in keys) for (let i = 0; i < 2; i++) add(key)
    for (let i = 0; i < ends; i++) {
      while (running.length < 4) {
        const turn = queue.draw(0) as Turn<string>
        running.push(turn)
        add(turn.key)
      }
      const turn = running.shift() as Turn<string>
      const used = keys[turn.key]?.used as number
      queue.settle(turn, used)
      served[turn.key] = (served[turn.key] as number) + used
    }
    return served
  }

  test('makes no difference that grows', () => {
    const short = run({ a: { bound: 1000, used: 10 }, b: { bound: 100, used: 100 } }, 3000)
    const long = run({ a: { bound: 1000, used: 10 }, b: { bound: 100, used: 100 } }, 30_000)
    const differenceOf = ({ a = 0, b = 0 }: Record<string, number>) => Math.abs(a - b)
    expect(differenceOf(short)).toBeLessThan(4000)
    expect(differenceOf(long)).toBeLessThan(4000)
  })

  test('of one key makes none between two others, however little it weighs', () => {
    const queue = createFairQueue<string>(never)
    const first = queue.pass(arrival('light', 1000, 0.01))
    for (const tokens of [1000, 10]) queue.add(arrival('light', tokens, 0.01))
    const second = queue.draw(0) as Turn<string> // begins at 100,000
    for (let i = 0; i < 30; i++) queue.add(arrival('a', 100))
    for (const turn of [first, second]) queue.settle(turn, 0)
    expect(queue.draw(0)?.key).toBe('light') // at 0 again
    for (let i = 0; i < 30; i++) queue.add(arrival('b', 100))
    expect(keysOf(queue, 8)).toBe('abababab')
  })
})

describe('ageing', () => {
  const heavy = (queue: FairQueue<string>, rounds: number, ageing: { every: number }) => {
    let waited = 0
    let longest = 0
    for (let now = 0; now < rounds; now++) {
      for (const key of ['a', 'b', 'c']) if (queue.lengthOf(key) < 2) queue.add(arrival(key, 100, 1, now))
      if (queue.lengthOf('light') < 2) queue.add(arrival('light', 100, 0.001, now))
      const turn = queue.draw(now) as Turn<string>
      queue.settle(turn, 100)
      waited = turn.key === 'light' ? 0 : waited + 1
      longest = Math.max(longest, waited)
    }
    return { longest, every: ageing.every }
  }

  test('a key of hardly any weight has its turn, too', () => {
    const without = heavy(createFairQueue(never), 2000, never)
    expect(without.longest).toBeGreaterThan(1500)
    const ageing = { afterMs: 50, every: 8 }
    expect(heavy(createFairQueue(ageing), 2000, ageing).longest).toBeLessThanOrEqual(50 + 8)
  })

  test('nobody goes for age before the time, and no more than one in so many', () => {
    const queue = createFairQueue<string>({ afterMs: 100, every: 4 })
    queue.add(arrival('light', 100, 0.001))
    expect(queue.draw(0)?.key).toBe('light')
    for (let i = 0; i < 40; i++) {
      queue.add(arrival('light', 100, 0.001, 0))
      queue.add(arrival('heavy', 100, 1, 0))
    }
    const drawn = (now: number, count: number) => Array.from({ length: count }, () => queue.draw(now)?.key[0]).join('')
    expect(drawn(99, 8)).toBe('hhhhhhhh')
    expect(drawn(100, 8)).toBe('lhhhlhhh')
  })
})

test('who leaves leaves no trace: all others go when they would have gone', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const draws = [false, true].map(leavers => {
      const random = seededRandom(seed)
      const extra = seededRandom(seed * 77)
      const queue = createFairQueue<string>({ afterMs: 30, every: 3 })
      const guests: Turn<string>[] = []
      const running: Turn<string>[] = []
      const order: string[] = []
      let number = 0
      for (let now = 0; now < 400; now++) {
        const key = 'abcdef'[Math.floor(random() * 6)] as string
        const request = { ...arrival(key, upTo(random, 200), key < 'c' ? 1 : 3, now), item: `${key}${number++}` }
        // no draw happens while they are there, but everything else does
        const host = () => {
          if (!leavers || extra() < 0.5) return
          const one = 'abcxyz'[Math.floor(extra() * 6)] as string
          guests.push(queue.add(arrival(one, upTo(extra, 200), one < 'c' ? 1 : 3, now)))
        }
        host()
        if (random() < 0.6) queue.add(request)
        host()
        const [ended] = random() < 0.5 ? running.splice(Math.floor(random() * running.length), 1) : []
        if (ended) queue.settle(ended, upTo(random, 200))
        host()
        for (const guest of guests.splice(0).toSorted(() => extra() - 0.5)) queue.remove(guest)
        if (random() < 0.5 && running.length < 4) {
          const turn = queue.draw(now)
          if (turn) running.push(turn)
          order.push(turn?.item ?? '-')
        }
      }
      return `${order.join(' ')} ${queue.length}`
    })
    expect(draws[1]).toBe(draws[0] as string)
  }
})

test('the place in the queue is the number of those who go first', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed)
    const queue = createFairQueue<string>(never)
    for (let i = 0; i < 6; i++) queue.pass(arrival('abcdef'[i] as string, upTo(random, 300)))
    const turns = Array.from({ length: 40 }, () => {
      const key = 'abcdef'[Math.floor(random() * 6)] as string
      return queue.add(arrival(key, upTo(random, 100), key < 'd' ? 1 : 2.5))
    })
    const places = new Map(turns.map(turn => [turn, queue.ahead(turn)]))
    turns.forEach((_, index) => {
      const turn = queue.draw(0) as Turn<string>
      expect(places.get(turn)).toBe(index)
      expect(queue.ahead(turn)).toBe(-1)
    })
  }
})

test('keys that come once and never again are not remembered for ever', () => {
  const queue = createFairQueue<string>(never)
  const running: Turn<string>[] = []
  for (let i = 0; i < 5000; i++) {
    queue.add(arrival(`key ${i}`, 100))
    const turn = i > 8 ? queue.draw(0) : undefined
    if (turn) running.push(turn)
    const ended = running.length > 4 ? running.shift() : undefined
    if (ended) queue.settle(ended, 90)
    expect(queue.keys).toBeLessThanOrEqual(256 + 10 + 5)
  }
})

test('removing what is not there does nothing', () => {
  const queue = createFairQueue<string>(never)
  const drawn = queue.pass(arrival('a', 10))
  const turn = queue.add(arrival('a', 10))
  queue.remove(drawn)
  expect(queue.length).toBe(1)
  queue.remove(turn)
  queue.remove(turn)
  expect([queue.length, queue.keys]).toEqual([0, 1])
  queue.settle(drawn, 10)
  queue.settle(drawn, 10)
  expect(queue.keys).toBe(0)
})
