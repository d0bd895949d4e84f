import { describe, expect, test } from 'bun:test'
import type { Head } from '../kept.ts'
import { randomOf } from '../testing/random.ts'
import { createMemory, type Limits } from './memory.ts'
import { bodyOf, costOfBody, headOf, keyOf } from './testing/answers.ts'
import { churn } from './testing/churn.ts'

const roomy: Limits = { maxEntries: 1e6, maxBytes: 1e9, ttlMs: 1e9 }
const any = Number.POSITIVE_INFINITY

function memoryOf(limits: Partial<Limits> = {}) {
  const clock = { ms: 1_000_000 }
  const memory = createMemory({ ...roomy, ...limits }, () => clock.ms)
  const set = (name: string | number, length = 10) => memory.set(keyOf(name), { body: bodyOf(length), head: headOf() })
  const has = (name: string | number) => memory.get(keyOf(name), any) !== undefined
  return { memory, clock, set, has, all: (names: readonly string[]) => names.filter(has).join('') }
}

describe('what is kept', () => {
  test.each([0, 1, 460, 461, 462, 463, 464, 465, 511, 512, 513, 1024, 5000, 100_000])('comes back byte for byte: %d bytes', length => {
    const { memory } = memoryOf()
    for (let i = 0; i < 3; i++) memory.set(keyOf(i), { body: bodyOf(length, i), head: headOf(`m${i}`) })
    for (let i = 0; i < 3; i++) expect(memory.get(keyOf(i), any)).toMatchObject({ head: headOf(`m${i}`), ageMs: 0 })
    for (let i = 0; i < 3; i++) expect(Bun.deepEquals(new Uint8Array(memory.get(keyOf(i), any)?.body ?? []), bodyOf(length, i))).toBe(true)
  })

  test('is a copy, on the way in and on the way out', () => {
    const { memory } = memoryOf()
    const body = bodyOf(10)
    memory.set(keyOf('a'), { body, head: headOf() })
    body.fill(0)
    memory.get(keyOf('a'), any)?.body.fill(0)
    expect(new Uint8Array(memory.get(keyOf('a'), any)?.body ?? [])).toEqual(bodyOf(10))
  })

  test.each<[string, Head]>([
    ['no name', { form: 'json', contentType: 'application/json; charset=utf-8', model: '', tokens: 0, tookMs: 0 }],
    ['odd values', { form: 'events', contentType: '', model: 'modèle/模型 🙂\nof two lines', tokens: 4_000_000_000, tookMs: 0.125 }],
    ['a long name', { form: 'events', contentType: 'text/event-stream', model: 'm'.repeat(3000), tokens: 17, tookMs: 1e12 }],
  ])('with what is known of it: %s', (_, head) => {
    const { memory } = memoryOf()
    for (let length = 0; length < 530; length += 23) {
      memory.set(keyOf(length), { body: bodyOf(length), head })
      expect(memory.get(keyOf(length), any)?.head).toEqual(head)
      expect(memory.get(keyOf(length), any)?.body.length).toBe(length)
    }
  })

  test('may have an age already when it comes', () => {
    const { memory, clock } = memoryOf({ ttlMs: 1000 })
    const answer = { body: bodyOf(10), head: headOf() }
    expect(memory.set(keyOf('a'), answer, 400)).toBe(true)
    expect(memory.get(keyOf('a'), any)).toMatchObject({ ageMs: 400 })
    clock.ms += 600
    expect(memory.get(keyOf('a'), any)).toBeUndefined()
    expect(memory.set(keyOf('a'), answer, 1000)).toBe(false)
    expect(memory.entries).toBe(0)
  })

  test('is as old as it is, and no older than asked', () => {
    const { memory, clock, set } = memoryOf()
    set('a')
    expect(memory.get(keyOf('a'), 0)).toBeUndefined()
    clock.ms += 2500
    expect(memory.get(keyOf('a'), 2500)).toBeUndefined()
    expect(memory.get(keyOf('a'), 2501)).toMatchObject({ ageMs: 2500 })
    clock.ms -= 5000 // somebody set the clock back
    expect(memory.get(keyOf('a'), any)).toMatchObject({ ageMs: 0 })
  })

  test('goes when its time is over, whoever looks first', () => {
    const { memory, clock, set, has } = memoryOf({ ttlMs: 1000 })
    set('a')
    set('b')
    clock.ms += 999
    expect(has('a')).toBe(true)
    clock.ms += 1
    expect(has('a')).toBe(false)
    expect(memory.entries).toBe(1)
    set('c') // nobody asked for b again
    expect(memory.entries).toBe(1)
  })
})

describe('room', () => {
  test('by entries: the one not used for the longest time goes', () => {
    const { set, has, all } = memoryOf({ maxEntries: 3 })
    for (const name of ['a', 'b', 'c']) set(name)
    expect(has('a')).toBe(true)
    set('d')
    expect(all(['a', 'b', 'c', 'd'])).toBe('acd')
    set('e')
    expect(all(['a', 'b', 'c', 'd', 'e'])).toBe('cde')
  })

  test('by bytes: to the byte', () => {
    const exactly = costOfBody(10) + costOfBody(2000)
    const { memory, set, all } = memoryOf({ maxBytes: exactly })
    set('a', 10)
    set('b', 2000)
    expect(memory.bytes).toBe(exactly)
    expect(all(['a', 'b'])).toBe('ab')
    const tight = memoryOf({ maxBytes: exactly - 1 })
    tight.set('a', 10)
    tight.set('b', 2000)
    expect(tight.all(['a', 'b'])).toBe('b')
  })

  test('what is larger than all of it is not kept, and drives nothing out but what it replaces', () => {
    const { memory, set, all } = memoryOf({ maxBytes: 5000 })
    set('a')
    set('b')
    expect(set('c', 5000)).toBe(false)
    expect(set('b', 5000)).toBe(false)
    expect(all(['a', 'b', 'c'])).toBe('a')
    expect(memory.bytes).toBe(costOfBody(10))
  })

  test('a key that is set again takes no more room (W26)', () => {
    const { memory, set, all } = memoryOf({ maxEntries: 3 })
    set('a')
    for (let i = 0; i < 100; i++) set('b', i * 10)
    set('c')
    expect(all(['a', 'b', 'c'])).toBe('abc')
    expect(memory.entries).toBe(3)
    expect(memory.bytes).toBe(2 * costOfBody(10) + costOfBody(990))
  })

  test('other limits count at once, and what is kept stays whole', () => {
    const { memory, clock, set, all } = memoryOf()
    const names = Array.from('abcdefgh')
    for (const name of names) set(name, 3000)
    memory.limit({ ...roomy, maxBytes: 3 * costOfBody(3000) })
    expect(all(names)).toBe('fgh')
    expect(memory.bytes).toBe(3 * costOfBody(3000))
    expect(new Uint8Array(memory.get(keyOf('g'), any)?.body ?? [])).toEqual(bodyOf(3000))
    memory.limit({ ...roomy, maxEntries: 2 })
    expect(all(names)).toBe('gh') // the last two that were used
    expect(memory.entries).toBe(2)
    clock.ms += 100
    memory.limit({ ...roomy, ttlMs: 100 })
    expect(memory.entries).toBe(0)
    memory.limit({ maxEntries: 0, maxBytes: 0, ttlMs: 0 })
    expect(set('a')).toBe(false)
    memory.limit(roomy)
    expect(set('a')).toBe(true)
  })
})

describe('clearing', () => {
  test('all of it: nothing is left, and what comes then is kept', () => {
    const { memory, set, all } = memoryOf()
    for (const name of 'abc') set(name, 3000)
    expect(memory.clear()).toBe(3)
    expect([memory.entries, memory.bytes, all(['a', 'b', 'c'])]).toEqual([0, 0, ''])
    expect(memory.clear()).toBe(0)
    set('d', 3000)
    expect([memory.bytes, all(['a', 'd'])]).toEqual([costOfBody(3000), 'd'])
  })

  test('one model: the others stay, in the order of their use', () => {
    const { memory, set, all } = memoryOf()
    const names = Array.from('abcdefgh')
    for (const [i, name] of names.entries()) {
      memory.set(keyOf(name), { body: bodyOf(i * 700, i), head: headOf(i % 2 ? 'other' : 'one') })
    }
    expect(memory.clear('on')).toBe(0)
    expect(memory.clear('one')).toBe(4)
    expect(memory.clear('one')).toBe(0)
    expect(all(names)).toBe('bdfh')
    expect(new Uint8Array(memory.get(keyOf('f'), any)?.body ?? [])).toEqual(bodyOf(3500, 5))
    memory.limit({ ...roomy, maxEntries: 3 })
    set('i')
    expect(all([...names, 'i'])).toBe('fhi')
    expect(memory.clear('other')).toBe(2)
  })
})

test('a long random walk: the same as a plain map with a list, and no byte lost', () => {
  const limits = { maxEntries: 200, maxBytes: 300_000, ttlMs: 5000 }
  const { memory, clock } = memoryOf(limits)
  const model = new Map<string, { length: number; seed: number; at: number }>() // in the order of use
  const cost = () => [...model.values()].reduce((sum, { length }) => sum + costOfBody(length), 0)
  const random = randomOf(3)
  for (let step = 0; step < 30_000; step++) {
    clock.ms += Math.floor(random() * 20)
    const name = String(Math.floor(random() * 400))
    const known = model.get(name)
    if (random() < 0.5) {
      const kept = memory.get(keyOf(name), any)
      model.delete(name)
      if (known && clock.ms - known.at < limits.ttlMs) model.set(name, known)
      else if (known) expect(kept).toBeUndefined()
      if (!model.has(name)) expect(kept).toBeUndefined()
      else if (!kept || !Bun.deepEquals(new Uint8Array(kept.body), bodyOf(known?.length ?? 0, known?.seed))) throw new Error(`step ${step}`)
      continue
    }
    const entry = { length: Math.floor(random() ** 3 * 20_000), seed: step, at: clock.ms }
    memory.set(keyOf(name), { body: bodyOf(entry.length, entry.seed), head: headOf() })
    model.delete(name)
    model.set(name, entry)
    for (const [oldest, { at }] of model) {
      if (cost() <= limits.maxBytes && model.size <= limits.maxEntries && clock.ms - at < limits.ttlMs) break
      model.delete(oldest)
    }
    expect([memory.entries, memory.bytes]).toEqual([model.size, cost()])
  }
})

test('a hundred thousand random inserts stay within the limit, as counted and as memory of the process', async () => {
  const { counted, settled, afterBurst, shrunk, cleared } = await churn('cache')
  expect(counted).toBeLessThanOrEqual(64 * 1024 * 1024)
  expect(settled).toBeLessThan(1.1 * 64 * 1024 * 1024)
  expect(afterBurst).toBeLessThan(1.1 * 64 * 1024 * 1024)
  expect(shrunk).toBeLessThan(settled / 2) // a lower limit gives the memory back
  expect(cleared).toBeLessThan(settled / 2)
}, 60_000)
