import { describe, expect, test } from 'bun:test'
import type { Payload } from 'gatehouse'
import { seededRandom } from '../../../core/testing/random.ts'
import { type Affinity, affinityOf, affinityOfName, affinityOfPrompt } from './affinity.ts'
import type { Candidate, Facts } from './candidate.ts'
import { createPrefixMemory } from './prefix-memory.ts'
import { rendezvous } from './rendezvous.ts'
import { sticky } from './sticky.ts'

const targetsOf = (weights: Record<string, number>, slots?: number): Candidate[] =>
  Object.entries(weights).map(([id, weight]) => ({ id, weight, ...(slots !== undefined && { slots }) }))
const four = targetsOf({ a: 1, b: 1, c: 1, d: 1 })
const nothing: Facts = {
  ...{ load: () => 0, firstTokenMs: () => undefined, warmth: () => 'loaded', passedOver: () => 0, remembered: () => undefined },
  random: () => 0.5,
}
const say = (role: string, content: unknown) => ({ role, content })
const chat = (...messages: object[]) => affinityOfPrompt('m', { model: 'm', messages } as Payload) as Affinity
const first = (targets: readonly Candidate[], hash: bigint) => rendezvous(targets, hash)[0]?.id
const hashes = Array.from({ length: 20_000 }, (_, index) => Bun.hash.xxHash64(`hash ${index}`))

describe('where a hash belongs', () => {
  test('each target has its share', () => {
    const counts = Object.groupBy(hashes, hash => first(targetsOf({ a: 1, b: 1, c: 3 }), hash) as string)
    expect((counts.a?.length ?? 0) / hashes.length).toBeCloseTo(0.2, 1.7)
    expect((counts.c?.length ?? 0) / hashes.length).toBeCloseTo(0.6, 1.7)
  })

  test('is the same whatever the order of the targets', () => {
    for (const hash of hashes.slice(0, 200)) expect(first(four.toReversed(), hash)).toBe(first(four, hash) as string)
  })

  test('when a target goes, only what it had moves, to the next in the order; when it is back, so is that', () => {
    const without = four.filter(({ id }) => id !== 'b')
    let moved = 0
    const heirs: Record<string, number> = { a: 0, c: 0, d: 0 }
    for (const hash of hashes) {
      const [before, next] = rendezvous(four, hash) as [Candidate, Candidate]
      const after = first(without, hash) as string
      if (before.id !== 'b') expect(after).toBe(before.id)
      else {
        expect(after).toBe(next.id)
        moved++
        heirs[after] = (heirs[after] as number) + 1
      }
    }
    expect(moved / hashes.length).toBeCloseTo(0.25, 1.7)
    for (const count of Object.values(heirs)) expect(count / moved).toBeCloseTo(1 / 3, 1.3)
  })

  test('when a weight grows, hashes move only to that target', () => {
    const heavier = targetsOf({ a: 1, b: 2, c: 1, d: 1 })
    for (const hash of hashes.slice(0, 5000)) {
      const after = first(heavier, hash)
      if (after !== first(four, hash)) expect(after).toBe('b')
    }
  })

  test('is the same in the next release: instances of different ages must agree', () => {
    expect(
      hashes
        .slice(0, 12)
        .map(hash => first(four, hash))
        .join(''),
    ).toBe('bbdcaacbcbaa')
    expect(chat(say('system', 'You help.'), say('user', 'Hi')).hashes).toEqual([9394898001472255544n, 5796103556077211835n])
  })
})

describe('what a request has in common with others', () => {
  test('a conversation that goes on begins with all that was said before', () => {
    const before = chat(say('system', 's'), say('user', 'one'))
    const after = chat(say('system', 's'), say('user', 'one'), say('assistant', 'two'), say('user', 'three'))
    expect(after.hashes.slice(0, 2)).toEqual([...before.hashes])
    expect([before.home, after.home]).toEqual([1, 1])
  })

  test.each([
    ['text', say('user', 'one!')],
    ['role', say('assistant', 'one')],
    ['calls', { ...say('user', 'one'), tool_calls: [{ id: 'x' }] }],
    [
      'parts',
      say('user', [
        { type: 'text', text: 'on' },
        { type: 'text', text: 'e' },
      ]),
    ],
    ['a picture', say('user', [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }])],
    ['something else', say('user', { odd: 1 })],
    ['nothing', say('user', null)],
  ])('another one is different from there on: %s', (_, message) => {
    const [plain, other] = [
      chat(say('system', 's'), say('user', 'one'), say('user', 'x')),
      chat(say('system', 's'), message, say('user', 'x')),
    ]
    expect(other.hashes[0]).toBe(plain.hashes[0] as bigint)
    expect(other.hashes[1]).not.toBe(plain.hashes[1] as bigint)
    expect(other.hashes[2]).not.toBe(plain.hashes[2] as bigint)
  })

  test('the model takes part, and so does a system prompt beside the messages', () => {
    const messages = [say('user', 'hi')]
    const of = (model: string, more = {}) => affinityOfPrompt(model, { model, messages, ...more } as Payload)?.hashes.at(-1)
    expect(new Set([of('m'), of('n'), of('m', { system: 'x' }), of('m', { system: 'y' })]).size).toBe(4)
    expect(affinityOfPrompt('m', { model: 'm', messages, system: 'x' } as Payload)?.home).toBe(1)
  })

  test('a prompt of one text: by pieces, the last one only once it is whole', () => {
    const text = 'abcdefgh'.repeat(400)
    const of = (prompt: string) => affinityOfPrompt('m', { model: 'm', prompt }) as Affinity
    expect(of(text).hashes).toHaveLength(3)
    expect(of(`${text} and more`).hashes).toEqual([...of(text).hashes])
    expect(of('short').hashes).toHaveLength(1)
    expect(of('short').hashes).not.toEqual([...of('shorter').hashes])
    expect(affinityOfPrompt('m', { model: 'm', input: 'short' })?.hashes).toEqual([...of('short').hashes])
  })

  test('a session that is named is one, whatever is said in it', () => {
    const of = (header: string | undefined, more = {}) =>
      affinityOf(
        'm',
        { headers: new Headers(header === undefined ? {} : { 'x-chat': header }), payload: { model: 'm', ...more } },
        'X-Chat',
      )
    const messages = [say('user', 'hi')]
    expect(of('one', { messages })).toEqual(affinityOfName('m', 'one'))
    expect(of('one', { user: 'u', prompt_cache_key: 'k', messages })).toEqual(affinityOfName('m', 'one'))
    expect(of(undefined, { user: 'u', prompt_cache_key: 'k', messages })).toEqual(affinityOfName('m', 'k'))
    expect(of(undefined, { user: 'u', messages })).toEqual(affinityOfName('m', 'u'))
    for (const user of [5, '', null, undefined]) expect(of(undefined, { user, messages })).toEqual(chat(...messages))
    expect(of('')).toBeUndefined()
  })

  test('nothing without a prompt', () => {
    for (const payload of [{}, { messages: [] }, { input: 5 }, { prompt: [1, 2] }]) {
      expect(affinityOfPrompt('m', { model: 'm', ...payload } as Payload)).toBeUndefined()
    }
    expect(affinityOfName('m', 'x').hashes).not.toEqual([...affinityOfName('n', 'x').hashes])
  })

  test('odd messages do no harm', () => {
    for (const messages of [[null], [5], ['text'], [{}], [{ role: 7, content: [null, 5, { type: 'audio' }] }]]) {
      expect(affinityOfPrompt('m', { model: 'm', messages } as unknown as Payload)?.hashes).toHaveLength(1)
    }
  })
})

describe('what is remembered', () => {
  const long = 'x'.repeat(4000)

  test('the longest beginning that was seen', () => {
    const memory = createPrefixMemory(10_000)
    const one = chat(say('system', long), say('user', 'one'))
    memory.remember(one, 'a')
    expect(memory.find(one)).toBe('a')
    const more = chat(say('system', long), say('user', 'one'), say('assistant', 'two'), say('user', 'three'))
    expect(memory.find(more)).toBe('a')
    memory.remember(more, 'b')
    expect(memory.find(chat(say('system', long), say('user', 'one'), say('assistant', 'two'), say('user', 'other')))).toBe('b')
    expect(memory.find(chat(say('system', 'other'), say('user', 'one')))).toBeUndefined()
  })

  test('a beginning that others share counts when it is long', () => {
    const memory = createPrefixMemory(10_000)
    memory.remember(chat(say('system', 'x'.repeat(9000)), say('user', 'one')), 'a')
    memory.remember(chat(say('system', 'short'), say('user', 'one')), 'b')
    expect(memory.find(chat(say('system', 'x'.repeat(9000)), say('user', 'else')))).toBe('a')
    memory.remember(chat(say('system', 'short')), 'c')
    expect(memory.find(chat(say('system', 'short'), say('user', 'else')))).toBeUndefined()
    expect(memory.find(chat(say('system', 'short'), say('user', 'one'), say('assistant', 'x'), say('user', long)))).toBe('b')
  })

  test('of a long conversation what can be of use', () => {
    const memory = createPrefixMemory(100_000)
    const messages = Array.from({ length: 60 }, (_, index) => say(index % 2 ? 'assistant' : 'user', `message ${index}`))
    memory.remember(chat(...messages), 'a')
    expect(memory.find(chat(...messages, say('user', 'next')))).toBe('a')
    expect(memory.find(chat(...messages.slice(0, 54), say('user', 'said again')))).toBe('a')
    expect(memory.find(chat(...messages.slice(0, 1), say('assistant', 'from the start')))).toBe('a')
  })

  test('takes the memory it was given, and no more', () => {
    const memory = createPrefixMemory(1400)
    expect(memory.bytes).toBe(1344) // twelve sets of eight entries of fourteen bytes
    const names = Array.from({ length: 1000 }, (_, index) => affinityOfName('m', `name ${index}`))
    for (const name of names) memory.remember(name, 'a')
    const left = names.map((name, index) => (memory.find(name) ? index : -1)).filter(index => index >= 0)
    expect(left.length).toBeWithin(80, 97)
    expect(Math.min(...left)).toBeGreaterThan(700) // the newest
    expect(createPrefixMemory(0).bytes).toBe(112)
  })

  test('what is used stays', () => {
    const memory = createPrefixMemory(1400)
    const kept = affinityOfName('m', 'kept')
    memory.remember(kept, 'a')
    for (let i = 0; i < 5000; i++) {
      memory.remember(affinityOfName('m', `name ${i}`), 'b')
      expect(memory.find(kept)).toBe('a')
    }
  })

  test('any number of targets', () => {
    const memory = createPrefixMemory(1_000_000)
    for (let i = 0; i < 70_000; i++) memory.remember(affinityOfName('m', `name ${i}`), `target ${i}`)
    for (let i = 69_000; i < 70_000; i++) expect(memory.find(affinityOfName('m', `name ${i}`)) ?? `target ${i}`).toBe(`target ${i}`)
  })
})

describe('sticky', () => {
  /** Conversations that go on, in a world where a target knows what it has answered. */
  const world = (options: { memory: boolean; seed: number }) => {
    const random = seededRandom(options.seed)
    const memory = createPrefixMemory(1_000_000)
    const loads: Record<string, number> = { a: 0, b: 0, c: 0, d: 0 }
    const facts: Facts = {
      ...nothing,
      load: id => loads[id] as number,
      remembered: affinity => (options.memory ? memory.find(affinity) : undefined),
      random,
    }
    const ask = (affinity: Affinity, targets: readonly Candidate[]) => {
      const { id } = sticky(targets, facts, affinity)[0] as Candidate
      memory.remember(affinity, id)
      return id
    }
    return { random, loads, ask }
  }
  const conversation = (name: string) => {
    const messages = [say('system', 'You are a helpful assistant.'), say('user', `I am ${name}.`)]
    return {
      next: () => chat(...messages),
      goOn: () => messages.push(say('assistant', `Hello ${messages.length}`), say('user', `Go on ${messages.length}`)),
    }
  }

  test.each([true, false])('a conversation stays where it is (with memory: %p)', memory => {
    const { ask } = world({ memory, seed: 1 })
    const places = Array.from({ length: 200 }, (_, index) => {
      const { next, goOn } = conversation(`number ${index}`)
      const seen = new Set<string>()
      for (let round = 0; round < 10; round++) {
        seen.add(ask(next(), four))
        goOn()
      }
      expect(seen.size).toBe(1)
      return [...seen][0]
    })
    for (const id of 'abcd') expect(places.filter(place => place === id).length).toBeWithin(30, 71)
  })

  test('with a long prompt that all share, all go where it was read, as far as there is room', () => {
    const { ask, loads } = world({ memory: true, seed: 1 })
    const targets = targetsOf({ a: 1, b: 1, c: 1, d: 1 }, 3)
    const agent = 'You are an agent. '.repeat(1000)
    const places = Array.from({ length: 12 }, (_, index) => {
      const place = ask(chat(say('system', agent), say('user', `task ${index}`)), targets)
      loads[place] = (loads[place] as number) + 1
      return place
    })
    expect(places.filter((place, index) => place !== places[index - 1])).toHaveLength(4)
    expect(Object.values(loads)).toEqual([3, 3, 3, 3])
  })

  test('instances agree, also those that have seen nothing', () => {
    const [one, other] = [world({ memory: true, seed: 1 }), world({ memory: true, seed: 99 })]
    for (let i = 0; i < 100; i++) {
      const { next, goOn } = conversation(`number ${i}`)
      const place = one.ask(next(), four)
      goOn()
      expect(other.ask(next(), four)).toBe(place)
    }
  })

  test('when a target goes, its conversations move once, and those of the others do not', () => {
    const { ask } = world({ memory: true, seed: 1 })
    const all = Array.from({ length: 200 }, (_, index) => conversation(`number ${index}`))
    const round = (targets: readonly Candidate[]) =>
      all.map(({ next, goOn }) => {
        const place = ask(next(), targets)
        goOn()
        return place
      })
    const before = round(four)
    const without = round(four.filter(({ id }) => id !== 'b'))
    for (const [index, place] of before.entries()) {
      if (place === 'b') expect(without[index]).not.toBe('b')
      else expect(without[index]).toBe(place)
    }
    // what has moved is warm where it is now
    expect(round(four)).toEqual(without)
  })

  test('one that is busy is passed by, and only as long as it is', () => {
    const { ask, loads } = world({ memory: false, seed: 1 })
    const targets = targetsOf({ a: 1, b: 1, c: 1, d: 1 }, 2)
    const affinity = affinityOfName('m', 'session')
    const home = ask(affinity, targets)
    loads[home] = 1
    expect(ask(affinity, targets)).toBe(home)
    loads[home] = 2
    const next = ask(affinity, targets)
    expect(next).toBe(rendezvous(targets, affinity.hashes[0] as bigint)[1]?.id as string)
    for (const id of 'abcd') loads[id] = 2
    expect(ask(affinity, targets)).toBe(home) // when all are, its own is as good as any
    loads[home] = 0
    expect(ask(affinity, targets)).toBe(home)
  })

  test('without slots: nobody gets far more than his share, even if all want the same', () => {
    const { ask, loads } = world({ memory: true, seed: 1 })
    const affinity = affinityOfName('m', 'everybody')
    for (let i = 0; i < 400; i++) {
      const id = ask(affinity, four)
      loads[id] = (loads[id] as number) + 1
    }
    expect(Math.max(...Object.values(loads))).toBeLessThanOrEqual(150)
  })

  test('a request with nothing to go by goes where there is room', () => {
    const loads: Record<string, number> = { a: 3, b: 1, c: 2, d: 4 }
    expect(sticky(four, { ...nothing, load: id => loads[id] as number }, undefined)[0]?.id).toBe('b')
  })
})
