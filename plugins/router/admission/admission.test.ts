import { describe, expect, test } from 'bun:test'
import { getEventListeners } from 'node:events'
import { seededRandom } from '../../../core/testing/random.ts'
import { type AdmissionOptions, createAdmission, type Refusal, refusalError, type Ticket, type Waiting } from './admission.ts'

/** A queue whose time stands still unless it is told otherwise. */
function houseOf(options: Partial<AdmissionOptions> = {}) {
  const clock = { ms: 0 }
  const limits = { maxLength: 100, maxPerKey: 100, maxWaitMs: 120_000 }
  const rules: AdmissionOptions = { slotsOf: () => 1, weightOf: () => 1, limits, now: () => clock.ms, ...options }
  const admission = createAdmission(rules)
  const enter = (key: string, { tokens = 100, model = 'm', signal = new AbortController().signal } = {}) =>
    admission.enter({ key, tokens, model, signal })
  const admitted = (key: string, more = {}) => enter(key, more) as Ticket
  const waiting = (key: string, more = {}) => {
    const entry = enter(key, more)
    if (entry.state !== 'waiting') throw new Error(`${key} is ${entry.state}`)
    return entry
  }
  return { admission, clock, rules, limits, enter, admitted, waiting }
}

const ticketOf = async ({ ready }: Waiting) => (await ready) as Ticket

describe('places', () => {
  test('a free one is given at once, without a promise', () => {
    const { admission, enter } = houseOf({ slotsOf: () => 2 })
    expect(enter('a')).toMatchObject({ state: 'admitted', waitedMs: 0 })
    expect(enter('a').state).toBe('admitted')
    expect(enter('b')).toMatchObject({ state: 'waiting', position: 1 })
    expect(admission.list()).toEqual([{ model: 'm', slots: 2, inFlight: 2, queued: 1, held: false }])
  })

  test('one that is given back goes to the next, and only once', async () => {
    const { admission, clock, admitted, waiting } = houseOf()
    const first = admitted('a')
    const [second, third] = [waiting('b'), waiting('c')]
    expect([second.position, third.position]).toEqual([1, 2])
    clock.ms = 250
    first.release(10)
    first.release(10)
    const ticket = await ticketOf(second)
    expect(ticket).toMatchObject({ state: 'admitted', waitedMs: 250 })
    expect([second.position, third.position]).toEqual([0, 1])
    expect(admission.list()).toMatchObject([{ inFlight: 1, queued: 1 }])
    ticket.release(10)
    ;(await ticketOf(third)).release(10)
    expect(admission.list()).toMatchObject([{ inFlight: 0, queued: 0 }])
  })

  test('each model has its own', () => {
    const { admission, enter } = houseOf()
    for (const model of ['m', 'n']) expect(enter('a', { model }).state).toBe('admitted')
    expect(admission.list().map(({ model }) => model)).toEqual(['m', 'n'])
    expect([admission.claims('m'), admission.claims('other')]).toEqual([1, 0])
  })

  test('a model without limits has no queue and is not listed', () => {
    const { admission, enter } = houseOf({ slotsOf: () => Number.POSITIVE_INFINITY })
    for (let i = 0; i < 1000; i++) expect(enter('a').state).toBe('admitted')
    expect(admission.list()).toEqual([])
  })

  test('more or fewer of them count at once', async () => {
    const { admission, rules, admitted, waiting } = houseOf({ slotsOf: () => 1 })
    const first = admitted('a')
    const queue = Array.from('bcdef', key => waiting(key))
    admission.configure({ ...rules, slotsOf: () => 3 })
    expect(admission.list()).toMatchObject([{ inFlight: 3, queued: 3 }])
    admission.configure({ ...rules, slotsOf: () => 1 })
    first.release(1)
    ;(await ticketOf(queue[0] as Waiting)).release(1)
    expect(admission.list()).toMatchObject([{ inFlight: 1, queued: 3 }])
    admission.configure({ ...rules, slotsOf: () => Number.POSITIVE_INFINITY })
    expect(admission.list()).toMatchObject([{ inFlight: 4, queued: 0 }])
  })

  test('also those that nobody was told of, with the next look', () => {
    let slots = 1
    const { admission, admitted, waiting } = houseOf({ slotsOf: () => slots })
    admitted('a')
    waiting('b')
    slots = 2
    admission.look()
    expect(admission.list()).toMatchObject([{ inFlight: 2, queued: 0 }])
  })
})

describe('places that share one memory', () => {
  test('are given while all requests fit, in turn, and to one alone in any case', async () => {
    const { admission, enter, admitted, waiting } = houseOf({ slotsOf: () => 8, memoryOf: () => 1000 })
    const first = admitted('a', { tokens: 600 })
    const second = admitted('b', { tokens: 400 })
    const large = waiting('c', { tokens: 900 })
    expect(enter('d', { tokens: 16 }).state).toBe('waiting') // it would fit, but not before the one in front
    first.release(600)
    expect(admission.list()).toMatchObject([{ inFlight: 1, queued: 2 }])
    second.release(400)
    expect((await ticketOf(large)).state).toBe('admitted')
    expect(admission.list()).toMatchObject([{ inFlight: 2, queued: 0 }])
    const { admitted: alone } = houseOf({ slotsOf: () => 8, memoryOf: () => 1000 })
    expect(alone('a', { tokens: 5000 }).state).toBe('admitted')
  })
})

describe('fairness', () => {
  /** Who gets the place, one after the other, each request using what it was expected to. */
  const serve = async (first: Ticket, queue: readonly { key: string; used: number; entry: Waiting }[]) => {
    const order: string[] = []
    let ticket = first
    const ready = queue.map(({ key, used, entry }) => entry.ready.then(ticket => ({ key, used, ticket: ticket as Ticket })))
    const arrived: { key: string; used: number; ticket: Ticket }[] = []
    for (const each of ready) each.then(one => arrived.push(one))
    let used = 1
    while (order.length < queue.length) {
      ticket.release(used)
      await Promise.resolve()
      await Promise.resolve()
      const next = arrived.shift()
      if (!next) throw new Error('nobody is next')
      order.push(next.key)
      ticket = next.ticket
      used = next.used
    }
    return order.join('')
  }

  test('an agent with a hundred requests does not keep the others waiting', async () => {
    const { admitted, waiting } = houseOf({ limits: { maxLength: 256, maxPerKey: 256, maxWaitMs: 120_000 } })
    const first = admitted('a')
    const queue = Array.from({ length: 100 }, () => ({ key: 'a', used: 100, entry: waiting('a') }))
    const people = Array.from('bcd', key => ({ key, used: 100, entry: waiting(key) }))
    expect(people.map(({ entry }) => entry.position)).toEqual([1, 2, 3])
    const order = await serve(first, [...queue, ...people])
    expect(order).toStartWith('bcd')
  })

  test('weights are asked for each request', async () => {
    const weights: Record<string, number> = { a: 1, b: 1 }
    const { admitted, waiting } = houseOf({ weightOf: key => weights[key] as number })
    const first = admitted('a')
    weights.b = 3
    const queue = Array.from('aaaaaaaabbbbbbbb', key => ({ key, used: 100, entry: waiting(key) }))
    const order = await serve(first, queue)
    expect(order.slice(0, 8).replaceAll('a', '')).toHaveLength(6)
  })

  test('who fails at once does not have all the turns', async () => {
    const { admitted, waiting } = houseOf()
    const first = admitted('a')
    const failing = Array.from({ length: 80 }, () => ({ key: 'a', used: 0, entry: waiting('a', { tokens: 1000 }) }))
    const working = Array.from({ length: 5 }, () => ({ key: 'b', used: 160, entry: waiting('b', { tokens: 160 }) }))
    const order = await serve(first, [...failing, ...working])
    // ten failures are charged as much as one request of 160 tokens
    expect(order.lastIndexOf('b')).toBeLessThan(60)
  })

  test('nonsense for numbers does no harm', () => {
    const { admission, enter } = houseOf({ slotsOf: () => 3, weightOf: key => (key === 'a' ? Number.NaN : 0) })
    for (const tokens of [Number.NaN, -5, Number.POSITIVE_INFINITY]) {
      const entry = enter(tokens > 0 ? 'a' : 'b', { tokens }) as Ticket
      expect(entry.state).toBe('admitted')
      entry.release(Number.NaN)
    }
    // and nobody is in front of everybody for ever
    const tickets = Array.from('bbb', key => enter(key) as Ticket)
    const queue = Array.from('aaab', key => enter(key) as Waiting)
    tickets[0]?.release(1)
    expect(queue.map(({ position }) => position).toSorted()).toEqual([0, 1, 2, 3])
    expect(admission.list()).toMatchObject([{ inFlight: 3, queued: 3 }])
  })

  test('a key whose bounds are far too large is soon charged what it uses', async () => {
    const { admission } = houseOf({ slotsOf: () => 8 })
    // eight at a time, of two keys that use the same, one of which does not say how much
    const running: { key: string; ticket: Ticket; left: number; used: number }[] = []
    const served = { vague: 0, exact: 0 }
    const random = seededRandom(5)
    const begin = (key: 'vague' | 'exact', ticket: Ticket) => {
      const used = 300 + Math.floor(random() * 400)
      running.push({ key, ticket, left: used, used })
    }
    const fill = () => {
      for (const key of ['vague', 'exact'] as const) {
        for (let queued = waitingOf[key]; queued < 4; queued = waitingOf[key]) {
          const entry = admission.enter({ key, tokens: key === 'vague' ? 32_000 : 700, model: 'm', signal: new AbortController().signal })
          if (entry.state === 'admitted') begin(key, entry)
          else {
            waitingOf[key]++
            const { ready } = entry as Waiting
            ready.then(ticket => {
              waitingOf[key]--
              begin(key, ticket as Ticket)
            })
          }
        }
      }
    }
    const waitingOf = { vague: 0, exact: 0 }
    const snapshots: { vague: number; exact: number }[] = []
    for (let step = 0; step < 3000; step++) {
      fill()
      running.sort((a, b) => a.left - b.left)
      const [ended] = running.splice(0, 1) as [(typeof running)[number]]
      for (const one of running) one.left -= ended.left
      served[ended.key as 'vague'] += ended.used
      ended.ticket.release(ended.used)
      await Promise.resolve()
      await Promise.resolve()
      if (step === 999) snapshots.push({ ...served })
    }
    const since = { vague: served.vague - (snapshots[0]?.vague ?? 0), exact: served.exact - (snapshots[0]?.exact ?? 0) }
    expect(since.vague / since.exact).toBeWithin(0.95, 1.06)
    expect(Math.abs(served.vague - served.exact)).toBeLessThan(2 * 32_000)
  })
})

describe('refusals', () => {
  test('a full queue', () => {
    const { limits, enter } = houseOf({ limits: { maxLength: 2, maxPerKey: 100, maxWaitMs: 1000 } })
    for (const key of 'abc') enter(key)
    expect(limits.maxLength).toBe(100)
    const refusal = enter('d') as Refusal
    expect(refusal).toEqual({ state: 'refused', reason: 'queue_full', model: 'm', position: 3, retryAfterS: 5 })
    const error = refusalError(refusal)
    expect(error).toMatchObject({ status: 503, type: 'service_unavailable', code: 'queue_full' })
    expect(error.extra.headers).toEqual({ 'retry-after': '5', 'x-gatehouse-queue-position': '3' })
  })

  test('too many of one key; the others still come in', () => {
    const { enter } = houseOf({ limits: { maxLength: 100, maxPerKey: 2, maxWaitMs: 1000 } })
    for (let i = 0; i < 3; i++) enter('a')
    const refusal = enter('a') as Refusal
    expect(refusal).toMatchObject({ reason: 'key_queue_full', position: 3 })
    expect(refusalError(refusal)).toMatchObject({ status: 429, type: 'rate_limit_error', code: 'key_queue_full' })
    expect(enter('b').state).toBe('waiting')
  })

  test('one key cannot fill the queue, however many it sends', () => {
    const { enter, admission } = houseOf({ limits: { maxLength: 256, maxPerKey: 256, maxWaitMs: 1000 } })
    const fill = (key: string) => {
      for (let i = 0; i < 1000; i++) enter(key)
      return admission.list()[0]?.queued
    }
    expect(fill('a')).toBe(205)
    expect(enter('a')).toMatchObject({ reason: 'key_queue_full', position: 206 })
    expect(fill('b')).toBe(246)
    expect(fill('c')).toBe(254)
    for (const key of 'de') expect(enter(key).state).toBe('waiting')
    for (const key of 'af') expect(enter(key)).toMatchObject({ reason: 'queue_full' })
  })

  test('no queue at all', () => {
    const { enter, admitted } = houseOf({ limits: { maxLength: 0, maxPerKey: 100, maxWaitMs: 1000 } })
    const ticket = admitted('a')
    expect(enter('b')).toMatchObject({ state: 'refused', position: 1 })
    ticket.release(1)
    expect(enter('b').state).toBe('admitted')
  })

  test('a wait that would be hopeless, once it is known how long requests take', () => {
    const { clock, enter, admitted, admission } = houseOf({
      slotsOf: () => 2,
      limits: { maxLength: 100, maxPerKey: 100, maxWaitMs: 10_000 },
    })
    for (let i = 0; i < 8; i++) {
      const ticket = admitted('a')
      clock.ms += 10_000
      ticket.release(100)
    }
    for (let i = 0; i < 2; i++) expect(enter('a').state).toBe('admitted')
    // each takes ten seconds, two at a time: the fifth would wait 25, more than twice as long as it may
    for (let i = 0; i < 4; i++) expect(enter('a').state).toBe('waiting')
    const refusal = enter('a') as Refusal
    expect(refusal).toMatchObject({ reason: 'queue_too_slow', position: 5, retryAfterS: 25 })
    expect(refusalError(refusal)).toMatchObject({ status: 503, code: 'queue_too_slow' })
    expect(enter('b')).toMatchObject({ state: 'waiting', position: 1 })
    expect(admission.list()).toMatchObject([{ queued: 5 }])
  })

  test('waiting too long', async () => {
    const { admission, clock, admitted, waiting } = houseOf({ limits: { maxLength: 100, maxPerKey: 100, maxWaitMs: 1000 } })
    const ticket = admitted('a')
    const early = waiting('b')
    clock.ms = 500
    const late = waiting('b')
    clock.ms = 999
    admission.look()
    expect(early.position).toBe(1)
    clock.ms = 1000
    admission.look()
    const refusal = (await early.ready) as Refusal
    expect(refusal).toMatchObject({ state: 'refused', reason: 'queue_timeout', position: 1 })
    expect(refusalError(refusal)).toMatchObject({ status: 504, type: 'server_error', code: 'timeout_queue' })
    expect(late.position).toBe(1)
    ticket.release(1)
    expect((await ticketOf(late)).state).toBe('admitted')
  })

  test('leave no trace', () => {
    const { admission, enter, waiting } = houseOf({ limits: { maxLength: 1, maxPerKey: 1, maxWaitMs: 1000 } })
    enter('a')
    const first = waiting('b')
    const controller = new AbortController()
    for (let i = 0; i < 100; i++) expect(enter(`c${i}`, { signal: controller.signal }).state).toBe('refused')
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    expect(first.position).toBe(1)
    expect(admission.list()).toMatchObject([{ inFlight: 1, queued: 1 }])
  })
})

describe('who leaves', () => {
  test('is out of the queue at once, and hears the reason', async () => {
    const { admission, admitted, waiting } = houseOf()
    const ticket = admitted('a')
    const controller = new AbortController()
    const leaver = waiting('b', { signal: controller.signal })
    const next = waiting('c')
    controller.abort(new Error('gone'))
    expect(next.position).toBe(1)
    expect(leaver.position).toBe(0)
    expect(admission.list()).toMatchObject([{ inFlight: 1, queued: 1 }])
    expect(leaver.ready).rejects.toThrow('gone')
    ticket.release(1)
    expect((await ticketOf(next)).state).toBe('admitted')
  })

  test('too late has a place all the same, which is for him to give back', async () => {
    const { admission, admitted, waiting } = houseOf()
    const controller = new AbortController()
    const ticket = admitted('a')
    const entry = waiting('b', { signal: controller.signal })
    ticket.release(1)
    controller.abort()
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    ;(await ticketOf(entry)).release(1)
    expect(admission.list()).toMatchObject([{ inFlight: 0, queued: 0 }])
  })

  test('before he comes does not come in', () => {
    const { admission, enter } = houseOf()
    const signal = AbortSignal.abort(new Error('gone before'))
    expect(() => enter('a', { signal })).toThrow('gone before')
    expect(admission.list()).toEqual([])
  })

  test('does so without an unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const listen = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', listen)
    const { admitted, waiting } = houseOf()
    admitted('a')
    const controller = new AbortController()
    waiting('b', { signal: controller.signal })
    controller.abort(new Error('nobody listens'))
    await new Promise(resolve => setImmediate(resolve))
    process.off('unhandledRejection', listen)
    expect(unhandled).toEqual([])
  })
})

test('a random walk: never too many, nobody waits beside a free place, everybody comes to an end', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed)
    const slots: Record<string, number> = { m0: 1, m1: 3, m2: 8 }
    const { admission, clock } = houseOf({
      slotsOf: model => slots[model] as number,
      weightOf: key => (key === 'k0' ? 4 : 1),
      limits: { maxLength: 20, maxPerKey: 8, maxWaitMs: 300 },
    })
    const tickets: Record<string, Ticket[]> = { m0: [], m1: [], m2: [] }
    const open = new Set<AbortController>()
    const ends = { admitted: 0, refused: 0, timeout: 0, aborted: 0 }
    let asked = 0
    const take = (model: string, answer: Ticket | Refusal) => {
      if (answer.state === 'refused') ends.timeout++
      else {
        ends.admitted++
        tickets[model]?.push(answer)
      }
    }
    const check = () => {
      for (const { model, inFlight, queued } of admission.list()) {
        expect(inFlight).toBeLessThanOrEqual(slots[model] as number)
        if (inFlight < (slots[model] as number)) expect(queued).toBe(0)
        expect(queued).toBeLessThanOrEqual(20)
        expect(admission.claims(model)).toBe(inFlight + queued)
      }
    }
    for (let step = 0; step < 1200; step++) {
      clock.ms += random() * 10
      const model = `m${Math.floor(random() * 3)}`
      const dice = random()
      if (dice < 0.55) {
        const controller = new AbortController()
        asked++
        const key = `k${Math.floor(random() * 5)}`
        const entry = admission.enter({ key, tokens: Math.floor(random() * 5000), model, signal: controller.signal })
        if (entry.state === 'admitted') take(model, entry)
        else if (entry.state === 'refused') ends.refused++
        else {
          expect(entry.position).toBeWithin(1, 21)
          open.add(controller)
          const { ready } = entry as Waiting
          ready.then(
            answer => {
              open.delete(controller)
              take(model, answer)
            },
            () => ends.aborted++,
          )
        }
      } else if (dice < 0.85) {
        const ending = tickets[model] as Ticket[]
        ending.splice(Math.floor(random() * ending.length), 1)[0]?.release(Math.floor(random() * 5000))
      } else if (dice < 0.95) {
        const [controller] = open
        if (controller) {
          open.delete(controller)
          controller.abort(new Error('left'))
        }
      } else admission.look()
      check()
      await Promise.resolve()
      await Promise.resolve()
    }
    for (let left = 1; left > 0; ) {
      left = 0
      for (const list of Object.values(tickets)) for (const ticket of list.splice(0)) ticket.release(50 + left++)
      check()
      await Promise.resolve()
      await Promise.resolve()
    }
    expect(admission.list().every(({ inFlight, queued }) => inFlight === 0 && queued === 0)).toBe(true)
    expect(ends.admitted + ends.refused + ends.timeout + ends.aborted).toBe(asked)
    for (const count of Object.values(ends)) expect(count).toBeGreaterThan(0)
  }
})

test('an idle queue costs less than 20 µs', () => {
  const admission = createAdmission({
    slotsOf: () => 8,
    weightOf: () => 1,
    limits: { maxLength: 256, maxPerKey: 256, maxWaitMs: 120_000 },
  })
  const { signal } = new AbortController()
  const round = () => {
    const begin = performance.now()
    for (let i = 0; i < 5000; i++) {
      const entry = admission.enter({ key: `key ${i % 50}`, tokens: 4000, model: 'm', signal })
      if (entry.state === 'admitted') entry.release(500)
    }
    return ((performance.now() - begin) * 1000) / 5000
  }
  // 0.7 µs on two shared cores; the best of many rounds, because others use them too
  expect(Math.min(...Array.from({ length: 20 }, round))).toBeLessThan(20)
})
