import { describe, expect, test } from 'bun:test'
import type { Strategy } from 'gatehouse'
import { seededRandom } from '../../../core/testing/random.ts'
import { affinityOfName, type BreakerSettings, type Candidate, createTargets, type TargetsOptions } from './targets.ts'

const breaker: BreakerSettings = {
  ...{ enabled: true, failures: 3, failureRate: 0.5, minRequests: 20, windowMs: 60_000, cooldownMs: 10_000, maxCooldownMs: 60_000 },
}

function houseOf(options: Partial<TargetsOptions> = {}, names = 'abc') {
  const clock = { ms: 0 }
  const rules: TargetsOptions = { breaker, now: () => clock.ms, random: () => 0.5, ...options }
  const targets = createTargets(rules)
  const candidates: Candidate[] = Array.from(names, id => ({ id, weight: 1 }))
  const choose = (strategy: Strategy = 'failover', more = {}) => targets.choose({ strategy, targets: candidates, ...more })
  const order = (strategy?: Strategy, more = {}) =>
    choose(strategy, more)
      .order.map(({ id }) => id)
      .join('')
  const send = (id: string, how: 'answered' | 'failed' | 'end' | 'firstToken', ms = 0) => {
    const attempt = choose().begin({ id, weight: 1 })
    clock.ms += ms
    attempt?.[how]()
    attempt?.end()
  }
  const row = (id: string) => targets.list().find(row => row.id === id)
  return { targets, candidates, choose, order, send, clock, row, rules }
}

describe('who is asked', () => {
  test('not those that fail; they come back when their pause is over', () => {
    const { order, send, clock } = houseOf()
    for (let i = 0; i < 3; i++) send('a', 'failed')
    expect(order()).toBe('bc')
    clock.ms += 10_000
    expect(order()).toBe('abc')
    send('a', 'answered')
    expect(order()).toBe('abc')
  })

  test('one request tries one that has failed, the others pass it by meanwhile', () => {
    const { order, choose, send, clock, candidates } = houseOf()
    for (let i = 0; i < 3; i++) send('a', 'failed')
    clock.ms += 10_000
    const [one, other] = [choose(), choose()]
    const [a, b] = candidates as [Candidate, Candidate]
    const probe = one.begin(a)
    expect(probe).toBeDefined()
    expect(order()).toBe('bc')
    expect(other.begin(a)).toBeUndefined() // it was there when this one looked
    expect(other.begin(b)).toBeDefined()
    probe?.end() // its client has left
    expect(order()).toBe('abc')
  })

  test('whoever was sent on is not sent back by the last of them', () => {
    const { choose, send, clock, candidates } = houseOf({}, 'ab')
    const [a, b] = candidates as [Candidate, Candidate]
    for (let i = 0; i < 3; i++) send('a', 'failed')
    clock.ms += 10_000
    const choice = choose()
    const probe = choose().begin(a)
    expect(choice.begin(a)).toBeUndefined()
    probe?.end()
    for (let i = 0; i < 3; i++) send('b', 'failed')
    expect(choice.begin(b)).toBeDefined()
  })

  test('all of them when all fail: something may have changed', () => {
    const { order, choose, send, candidates } = houseOf()
    for (const id of 'abc') for (let i = 0; i < 3; i++) send(id, 'failed')
    expect(order()).toBe('abc')
    const choice = choose()
    for (const target of candidates) expect(choice.begin(target)).toBeDefined()
    send('b', 'answered')
    expect(order()).toBe('b')
  })

  test('never those that have asked for patience', () => {
    const { order, choose, clock, candidates } = houseOf()
    const [a, b, c] = candidates as [Candidate, Candidate, Candidate]
    choose().begin(a)?.limited(5_000)
    expect(order()).toBe('bc')
    expect(choose().limitedMs).toBe(5_000)
    choose().begin(b)?.limited(3_000)
    for (let i = 0; i < 3; i++) choose().begin(c)?.failed()
    expect(order()).toBe('c') // it fails, but nobody else may be asked
    clock.ms += 500
    choose().begin(c)?.limited(9_000)
    expect(order()).toBe('')
    expect(choose().limitedMs).toBe(2_500)
    clock.ms += 2_500
    expect(order()).toBe('b')
  })

  test('nobody when there is nobody', () => {
    const { targets } = houseOf()
    for (const strategy of ['failover', 'weighted', 'least-busy', 'fastest', 'warm', 'sticky'] as const) {
      expect(targets.choose({ strategy, targets: [] })).toMatchObject({ order: [], limitedMs: undefined })
    }
  })

  test('a request that has failed at one does not go to another that broke meanwhile, unless it is the only way', () => {
    const { choose, send, candidates } = houseOf({}, 'ab')
    const [a, b] = candidates as [Candidate, Candidate]
    const choice = choose()
    const late = choose()
    choice.begin(a)?.failed()
    for (let i = 0; i < 3; i++) send('b', 'failed')
    expect(choice.begin(b)).toBeUndefined()
    for (let i = 0; i < 2; i++) choose().begin(a)?.failed()
    expect(late.begin(a)).toBeDefined()
    expect(late.begin(b)).toBeDefined()
  })
})

describe('what is known of targets', () => {
  test('requests at it, until each of them ends', () => {
    const { choose, candidates, row } = houseOf()
    const [a] = candidates as [Candidate]
    const attempts = Array.from({ length: 3 }, () => choose().begin(a))
    expect(row('a')).toMatchObject({ inFlight: 3, requests: 3, failures: 0 })
    attempts[0]?.end()
    attempts[0]?.end()
    attempts[1]?.failed()
    attempts[1]?.end()
    expect(row('a')).toMatchObject({ inFlight: 1, requests: 3, failures: 1, breaker: { failuresInARow: 1, requests: 1 } })
  })

  test('the usual time to the first token, of streams only', () => {
    const { send, row, clock, choose, candidates } = houseOf()
    for (const ms of [200, 100, 200, 300, 200]) send('a', 'firstToken', ms)
    send('a', 'answered', 9_000)
    expect(row('a')?.firstTokenMs).toBe(200)
    const attempt = choose().begin(candidates[0] as Candidate)
    clock.ms += 100
    attempt?.firstToken()
    for (let i = 0; i < 50; i++) attempt?.firstToken() // only the first is the first
    expect(row('a')?.firstTokenMs).toBe(200)
  })

  test('is kept when the rules change, and the new ones count at once', () => {
    const { targets, send, order, row, rules } = houseOf()
    for (let i = 0; i < 2; i++) send('a', 'failed')
    targets.configure({ ...rules, breaker: { ...breaker, failures: 1 } })
    expect(row('a')).toMatchObject({ failures: 2 })
    send('b', 'failed')
    expect(order()).toBe('ac')
    targets.configure({ ...rules, breaker: { ...breaker, enabled: false } })
    expect(order()).toBe('abc')
  })

  test('is forgotten of the oldest when clients make up names, but not while they are in use or left alone', () => {
    const { targets, choose, send } = houseOf()
    choose().begin({ id: 'busy', weight: 1 })
    for (let i = 0; i < 3; i++) send('broken', 'failed')
    for (let i = 0; i < 5000; i++) send(`name ${i}`, i % 2 ? 'answered' : 'failed')
    expect(targets.list().length).toBeLessThanOrEqual(1024)
    for (const id of ['busy', 'broken', 'name 4999']) expect(targets.list().some(row => row.id === id)).toBe(true)
    for (let i = 0; i < 2000; i++) for (let n = 0; n < 3; n++) send(`broken ${i}`, 'failed')
    expect(targets.list().length).toBeLessThanOrEqual(1024)
    expect(targets.list().some(({ id }) => id === 'busy')).toBe(true)
  })
})

describe('strategies, as far as they learn', () => {
  test('least-busy: from the requests it begins, or from whoever knows better', () => {
    const { choose, order, candidates } = houseOf({}, 'ab')
    choose().begin(candidates[0] as Candidate)
    for (let i = 0; i < 20; i++) expect(order('least-busy')).toBe('ba')
    const other = houseOf({ loadOf: id => ({ a: 1, b: 7 })[id] ?? 0 }, 'ab')
    for (let i = 0; i < 20; i++) expect(other.order('least-busy')).toBe('ab')
  })

  test('warm: from whoever knows it', () => {
    const { order } = houseOf({ warmthOf: id => (id === 'c' ? 'loaded' : 'cold') })
    expect(order('warm')).toBe('cab')
  })

  test('fastest: the others are tried now and then, and looking on changes nothing', () => {
    const { targets, candidates, clock, order } = houseOf()
    const times: Record<string, number> = { a: 300, b: 100, c: 900 }
    const tries: Record<string, number> = { a: 0, b: 0, c: 0 }
    for (let i = 0; i < 1000; i++) {
      for (let look = 0; look < 3; look++) order('fastest', { peek: true })
      const choice = targets.choose({ strategy: 'fastest', targets: candidates })
      const [target] = choice.order as [Candidate]
      const attempt = choice.begin(target)
      clock.ms += times[target.id] as number
      attempt?.firstToken()
      attempt?.end()
      tries[target.id] = (tries[target.id] as number) + 1
    }
    expect(tries.b).toBeGreaterThan(930)
    for (const id of 'ac') expect(tries[id]).toBeWithin(20, 30)
  })

  test('fastest: one that fails is not tried until its pause is over', () => {
    const { targets, candidates, clock, send } = houseOf()
    for (let i = 0; i < 3; i++) send('c', 'failed')
    const firsts = Array.from({ length: 200 }, () => {
      const choice = targets.choose({ strategy: 'fastest', targets: candidates })
      clock.ms += 1
      return choice.order[0]?.id
    })
    expect(firsts).not.toContain('c')
  })

  test('sticky: to who has answered last; what was not answered is not remembered', () => {
    const { targets, choose, order, candidates, send } = houseOf()
    const session = { affinity: () => affinityOfName('m', 'one') }
    const [first, second] = Array.from(order('sticky', session)) as [string, string]
    const target = (id: string) => candidates.find(one => one.id === id) as Candidate
    const ask = (how: 'failed' | 'answered') => {
      const attempt = choose('sticky', session).begin(target(second))
      attempt?.[how]()
      attempt?.end()
    }
    ask('failed')
    expect(order('sticky', session)).toStartWith(first)
    ask('answered')
    expect(order('sticky', session)).toStartWith(second)
    for (let i = 0; i < 3; i++) send(second, 'failed')
    expect(order('sticky', session)).toStartWith(first)
    const others = targets.choose({ strategy: 'sticky', targets: candidates.filter(({ id }) => id !== first), ...session })
    expect(others.order).toHaveLength(1)
  })

  test('sticky alone asks what a request has in common with others', () => {
    const { order } = houseOf()
    const affinity = () => {
      throw new Error('asked')
    }
    for (const strategy of ['failover', 'weighted', 'least-busy', 'fastest', 'warm'] as const) order(strategy, { affinity })
    expect(() => order('sticky', { affinity })).toThrow('asked')
  })
})

test('a random walk over all strategies: nobody is asked who must not be, and somebody always is', () => {
  const strategies = ['failover', 'weighted', 'least-busy', 'fastest', 'warm', 'sticky'] as const
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed)
    const clock = { ms: 0 }
    const targets = createTargets({ breaker, now: () => clock.ms, random })
    const candidates = Array.from('abcd', id => ({ id, weight: Math.floor(random() * 3) }))
    const works: Record<string, number> = { a: 1, b: 1, c: 1, d: 1 }
    let answered = 0
    for (let step = 0; step < 2000; step++) {
      clock.ms += random() * 500
      if (random() < 0.01) works['abcd'[Math.floor(random() * 4)] as string] = random()
      const strategy = strategies[Math.floor(random() * 6)] as Strategy
      const choice = targets.choose({ strategy, targets: candidates, affinity: () => affinityOfName('m', String(step % 50)) })
      const rows = new Map(targets.list().map(row => [row.id, row.breaker]))
      const resting = (id: string) => (rows.get(id)?.openForMs ?? 0) > 0
      const limited = (id: string) => (rows.get(id)?.limitedForMs ?? 0) > 0
      expect(choice.order.some(({ id }) => limited(id))).toBe(false)
      if (choice.order.some(({ id }) => !resting(id))) expect(choice.order.some(({ id }) => resting(id))).toBe(false)
      else if (choice.order.length === 0) expect(candidates.every(({ id }) => limited(id))).toBe(true)
      let tried = 0
      for (const target of choice.order) {
        const attempt = choice.begin(target)
        if (!attempt) continue
        tried++
        const fine = random() < (works[target.id] as number)
        if (random() < 0.02) attempt.limited(random() * 20_000)
        else if (fine) attempt.firstToken()
        else attempt.failed()
        attempt.end()
        if (fine) {
          answered++
          break
        }
      }
      if (choice.order.length > 0) expect(tried).toBeGreaterThan(0)
    }
    expect(answered).toBeGreaterThan(500)
    expect(targets.list().every(({ inFlight }) => inFlight === 0)).toBe(true)
  }
})
