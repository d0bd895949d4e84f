import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../../core/testing/random.ts'
import { createBreaker } from './breaker.ts'
import type { BreakerSettings } from './breaker-settings.ts'
import { createPatience } from './patience.ts'
import { createRecentResults } from './recent-results.ts'

const usual: BreakerSettings = {
  ...{ enabled: true, failures: 5, failureRate: 0.5, minRequests: 20, windowMs: 60_000, cooldownMs: 10_000, maxCooldownMs: 60_000 },
}

/** A breaker whose pauses are exact, and a clock that stands still. */
function breakerOf(settings: Partial<BreakerSettings> = {}, random = () => 0.5) {
  const clock = { ms: 1000 }
  let rules = { ...usual, ...settings }
  const breaker = createBreaker({ settings: () => rules, now: () => clock.ms, random })
  const times = (count: number, how: 'answered' | 'failed' | 'left' | 'limited') => {
    for (let i = 0; i < count; i++) breaker.begin()[how]()
  }
  const set = (next: Partial<BreakerSettings>) => {
    rules = { ...rules, ...next }
  }
  return { breaker, clock, times, set }
}

describe('opening', () => {
  test('after so many failures in a row', () => {
    const { breaker, times } = breakerOf()
    times(4, 'failed')
    expect(breaker.status).toBe('closed')
    times(1, 'failed')
    expect(breaker.status).toBe('open')
    expect(breaker.restMs).toBe(10_000)
    expect(breaker.snapshot()).toEqual({
      ...{ state: 'open', failuresInARow: 5, requests: 5, failed: 5, openings: 1, openForMs: 10_000, limitedForMs: 0 },
    })
  })

  test('an answer in between begins the row anew; who leaves says nothing', () => {
    const { breaker, times } = breakerOf()
    for (let i = 0; i < 3; i++) {
      times(4, 'failed')
      times(1, 'answered')
    }
    times(4, 'failed')
    times(10, 'left')
    expect(breaker.status).toBe('closed')
    times(1, 'failed')
    expect(breaker.status).toBe('open')
  })

  test('or when so large a part fails, once there were enough requests', () => {
    const { breaker, times } = breakerOf({ minRequests: 10 })
    for (let i = 0; i < 4; i++) {
      times(1, 'answered')
      times(1, 'failed')
    }
    times(1, 'answered')
    expect(breaker.status).toBe('closed')
    times(1, 'failed')
    expect(breaker.status).toBe('open')
  })

  test('only what was in the window counts', () => {
    const { breaker, clock, times } = breakerOf({ minRequests: 10 })
    for (let i = 0; i < 4; i++) {
      times(1, 'answered')
      times(1, 'failed')
    }
    clock.ms += 60_000
    times(1, 'answered')
    times(1, 'failed')
    expect(breaker.status).toBe('closed')
    expect(breaker.snapshot()).toMatchObject({ requests: 2, failed: 1 })
  })

  test('an answer that breaks off is a failure and no answer', () => {
    const { breaker } = breakerOf({ minRequests: 10 })
    for (let i = 0; i < 9; i++) {
      const pass = breaker.begin()
      pass.answered()
      pass.failed()
    }
    expect(breaker.snapshot()).toMatchObject({ requests: 9, failed: 9, failuresInARow: 1 })
    const pass = breaker.begin()
    pass.answered()
    expect(breaker.status).toBe('closed')
    pass.failed()
    expect(breaker.status).toBe('open')
  })

  test('never when it is switched off, and no more when it is switched off later', () => {
    const { breaker, times, set } = breakerOf({ enabled: false })
    times(100, 'failed')
    expect(breaker.status).toBe('closed')
    set({ enabled: true })
    times(1, 'failed')
    expect(breaker.status).toBe('open')
    set({ enabled: false })
    expect([breaker.status, breaker.snapshot().state]).toEqual(['closed', 'closed'])
  })

  test('a request has one end', () => {
    const { breaker } = breakerOf({ failures: 2 })
    const pass = breaker.begin()
    for (let i = 0; i < 5; i++) pass.failed()
    pass.answered()
    pass.limited(5000)
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', failuresInARow: 1, requests: 1, failed: 1, limitedForMs: 0 })
  })
})

describe('closing', () => {
  const opened = (settings: Partial<BreakerSettings> = {}) => {
    const all = breakerOf(settings)
    all.times(5, 'failed')
    return all
  }

  test('one request tries it, and if that is answered all may', () => {
    const { breaker, clock } = opened()
    clock.ms += 9_999
    expect(breaker.status).toBe('open')
    clock.ms += 1
    expect(breaker.status).toBe('probe')
    expect(breaker.snapshot().state).toBe('half-open')
    const probe = breaker.begin()
    expect(breaker.status).toBe('probing')
    probe.answered()
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', failuresInARow: 0, requests: 1, failed: 0 })
  })

  test('each time it fails the pause is twice as long, up to the longest', () => {
    const { breaker, clock } = opened()
    const pauses = Array.from({ length: 5 }, () => {
      const { restMs } = breaker
      clock.ms += restMs
      breaker.begin().failed()
      return restMs
    })
    expect(pauses).toEqual([10_000, 20_000, 40_000, 60_000, 60_000])
  })

  test('the pause is short again only after it was closed for a window', () => {
    const { breaker, clock, times } = opened()
    clock.ms += 10_000
    times(1, 'answered')
    clock.ms += 59_999
    times(5, 'failed')
    expect(breaker.restMs).toBe(20_000)
    clock.ms += 20_000
    times(1, 'answered')
    clock.ms += 60_000
    times(5, 'failed')
    expect(breaker.restMs).toBe(10_000)
  })

  test('pauses differ by up to a fifth, and are never longer than the longest', () => {
    const random = seededRandom(3)
    const pauses = Array.from({ length: 200 }, () => {
      const { breaker, times } = breakerOf({ maxCooldownMs: 11_000 }, random)
      times(5, 'failed')
      return breaker.restMs
    })
    expect(Math.min(...pauses)).toBeWithin(8_000, 8_200)
    expect(Math.max(...pauses)).toBe(11_000)
    expect(new Set(pauses).size).toBeGreaterThan(100)
  })

  test('a probe whose client leaves makes room for the next', () => {
    const { breaker, clock } = opened()
    clock.ms += 10_000
    breaker.begin().left()
    expect(breaker.status).toBe('probe')
  })

  test('a probe that is never heard of again does, too, after a pause', () => {
    const { breaker, clock } = opened()
    clock.ms += 10_000
    const lost = breaker.begin()
    clock.ms += 9_999
    expect(breaker.status).toBe('probing')
    clock.ms += 1
    expect(breaker.status).toBe('probe')
    breaker.begin().answered()
    lost.failed()
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', failuresInARow: 0 })
  })

  test('what began before it opened or closed says nothing', () => {
    const { breaker, clock, times } = breakerOf()
    const [early, before, late] = [breaker.begin(), breaker.begin(), breaker.begin()]
    times(5, 'failed')
    early.answered()
    expect(breaker.status).toBe('open')
    before.limited(1)
    clock.ms += 1
    expect(breaker.status).toBe('open')
    clock.ms += 9_999
    late.failed()
    expect(breaker.status).toBe('probe')
    const second = breaker.begin()
    const forced = breaker.begin() // somebody had no other target
    second.answered()
    expect(breaker.status).toBe('closed')
    forced.failed()
    expect(breaker.snapshot()).toMatchObject({ failuresInARow: 0 })
  })

  test('somebody who had no other target closes it with an answer, and does no harm with a failure', () => {
    const { breaker, clock } = opened()
    clock.ms += 3_000
    breaker.begin().failed()
    expect(breaker.restMs).toBe(7_000)
    breaker.begin().answered()
    expect(breaker.status).toBe('closed')
  })
})

describe('patience (429)', () => {
  test('as long as it was asked for, and no failure', () => {
    const { breaker, clock, times } = breakerOf({ failures: 1 })
    breaker.begin().limited(30_000)
    expect([breaker.status, breaker.restMs]).toEqual(['limited', 30_000])
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', limitedForMs: 30_000, failed: 0, requests: 0 })
    breaker.begin().limited(10_000) // the longest counts
    clock.ms += 29_999
    expect(breaker.status).toBe('limited')
    clock.ms += 1
    expect(breaker.status).toBe('closed')
    times(3, 'answered')
    expect(breaker.status).toBe('closed')
  })

  test('a probe that is asked for patience has shown that it works', () => {
    const { breaker, clock, times } = breakerOf()
    times(5, 'failed')
    clock.ms += 10_000
    breaker.begin().limited(5_000)
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', limitedForMs: 5_000 })
    clock.ms += 5_000
    expect(breaker.status).toBe('closed')
  })

  test('without a time: longer and longer until it answers; refusals at the same time are one', () => {
    const clock = { ms: 0 }
    const patience = createPatience(() => clock.ms)
    const pauses = Array.from({ length: 8 }, () => {
      for (let i = 0; i < 50; i++) patience.asked(undefined)
      const { leftMs } = patience
      clock.ms += leftMs
      return leftMs / 1000
    })
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
    patience.answered()
    patience.asked(undefined)
    expect(patience.leftMs).toBe(1000)
  })

  test('a day is too long, and nothing is nothing', () => {
    const patience = createPatience(() => 5)
    patience.asked(0)
    expect(patience.leftMs).toBe(0)
    patience.asked(86_400_000)
    expect(patience.leftMs).toBe(3_600_000)
  })
})

test('results are forgotten a tenth of the window at a time', () => {
  const clock = { ms: 12_345 }
  const recent = createRecentResults(1000, () => clock.ms)
  const model: { at: number; failed: boolean }[] = []
  const random = seededRandom(9)
  for (let step = 0; step < 3000; step++) {
    clock.ms += random() < 0.02 ? random() * 3000 : random() * 40
    if (random() < 0.7) {
      const failed = random() < 0.3
      recent.count(failed ? 0 : 1, failed ? 1 : 0)
      model.push({ at: clock.ms, failed })
    }
    const { requests, failed } = recent.sums()
    const since = (ms: number) => model.filter(({ at }) => at > clock.ms - ms)
    expect(requests).toBeWithin(since(900).length, since(1000).length + 1)
    expect(failed).toBeWithin(since(900).filter(one => one.failed).length, since(1000).filter(one => one.failed).length + 1)
  }
  recent.clear()
  expect(recent.sums()).toEqual({ requests: 0, failed: 0 })
})

test('other windows count from then on', () => {
  const { breaker, times, set, clock } = breakerOf()
  times(2, 'failed')
  set({ windowMs: 100 })
  times(2, 'failed')
  expect(breaker.snapshot()).toMatchObject({ requests: 2, failuresInARow: 4 })
  clock.ms += 200
  expect(breaker.snapshot()).toMatchObject({ requests: 0 })
})

test('a random walk: one probe at a time, nobody goes to one that is open, and it closes when the target works again', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seededRandom(seed)
    const { breaker, clock, times } = breakerOf({ minRequests: 5 + Math.floor(random() * 20) }, random)
    const flights: { pass: ReturnType<typeof breaker.begin>; probe: boolean; until: number; fine: boolean }[] = []
    let works = true
    let opened = 0
    for (let step = 0; step < 2000; step++) {
      clock.ms += random() * 300
      if (random() < 0.003) works = !works
      const { status } = breaker
      if (status === 'closed' || status === 'probe') {
        if (status === 'probe') expect(flights.filter(({ probe, until }) => probe && until > clock.ms)).toHaveLength(0)
        flights.push({ pass: breaker.begin(), probe: status === 'probe', until: clock.ms + 2000, fine: works })
        if (status === 'probe') expect(breaker.status).toBe('probing')
      } else if (status === 'open') opened++
      if (random() < 0.7) {
        const [ended] = flights.splice(Math.floor(random() * flights.length), 1)
        if (ended) {
          const before = breaker.snapshot().state
          ended.pass[random() < 0.05 ? 'left' : ended.fine ? 'answered' : 'failed']()
          // only a probe ends the pause
          if (before === 'half-open' && breaker.snapshot().state === 'closed') expect(ended.probe).toBe(true)
        }
      }
    }
    for (const { pass } of flights) pass.left()
    for (let i = 0; i < 3; i++) {
      clock.ms += 60_000
      times(1, 'answered')
    }
    expect(breaker.status).toBe('closed')
    if (seed === 1) expect(opened).toBeGreaterThan(0)
  }
})
