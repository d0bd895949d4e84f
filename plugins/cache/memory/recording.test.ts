import { describe, expect, test } from 'bun:test'
import { randomOf } from '../testing/random.ts'
import { costOf } from './blocks.ts'
import { createMemory, type Limits } from './memory.ts'
import type { Recording } from './recording.ts'
import { bodyOf, costOfBody, headOf, keyOf } from './testing/answers.ts'
import { createPlainMemory, type PlainRecording } from './testing/plain-memory.ts'

const mebibyte = 1024 * 1024
const any = Number.POSITIVE_INFINITY
const roomy: Limits = { maxEntries: 1e6, maxBytes: 1e9, ttlMs: 1e9 }

function memoryOf(limits: Partial<Limits> = {}) {
  const clock = { ms: 1_000_000 }
  const memory = createMemory({ ...roomy, ...limits }, () => clock.ms)
  const set = (name: string, length = 3000) => memory.set(keyOf(name), { body: bodyOf(length), head: headOf() })
  const all = (names: string) => [...names].filter(name => memory.get(keyOf(name), any)).join('')
  const bodyAt = (name: string) => memory.get(keyOf(name), any)?.body
  return { memory, clock, set, all, bodyAt }
}

/** Writes in pieces of a size that is no part of a block. */
function write(recording: Recording, bytes: Uint8Array, piece = 333): boolean[] {
  const kept: boolean[] = []
  for (let at = 0; at < bytes.length; at += piece) kept.push(recording.append(bytes.subarray(at, at + piece)))
  return kept
}

const same = (bytes: Uint8Array | undefined, expected: Uint8Array) => bytes !== undefined && Buffer.compare(bytes, expected) === 0

function readAll(recording: Recording, most: number): Buffer {
  const parts: Uint8Array[] = []
  for (let at = 0; ; ) {
    const part = recording.read(at, most)
    if (part.length === 0) return Buffer.concat(parts)
    parts.push(part)
    at += part.length
  }
}

describe('while it arrives', () => {
  test.each([1, 7, 333, 512, 513, 5000, 40_000])('it reads as it was written, in pieces of %d', piece => {
    const { memory } = memoryOf()
    const recording = memory.record()
    const bytes = bodyOf(100_003, 5)
    expect(recording.read(0, 10).length).toBe(0)
    write(recording, bytes, piece)
    expect(recording.length).toBe(bytes.length)
    for (const most of [97, 512, 65_536, any]) expect(same(readAll(recording, most), bytes)).toBe(true)
    for (const at of [0, 511, 512, 32_767, 32_768, 70_000, 100_002, 100_003, 200_000]) {
      expect(same(recording.read(at, 1000), bytes.subarray(at, at + 1000))).toBe(true)
    }
  })

  test('what is written and what is read are copies', () => {
    const { memory } = memoryOf()
    const recording = memory.record()
    const bytes = bodyOf(1000)
    recording.append(bytes)
    bytes.fill(0)
    recording.read(0, 1000).fill(0)
    expect(same(recording.read(0, 1000), bodyOf(1000))).toBe(true)
  })

  test('its bytes count at once, and the ones not used for the longest time make room', () => {
    const { memory, set, all } = memoryOf({ maxBytes: 3 * costOfBody(3000) })
    for (const name of 'abc') set(name)
    expect(all('a')).toBe('a') // used again
    const recording = memory.record()
    expect(memory.bytes).toBe(3 * costOfBody(3000))
    recording.append(bodyOf(1))
    expect(memory.bytes).toBe(2 * costOfBody(3000) + costOf(1))
    expect(all('bca')).toBe('ca')
    recording.append(bodyOf(3000))
    expect(all('bca')).toBe('ca')
    recording.append(bodyOf(1000))
    expect(memory.bytes).toBe(costOfBody(3000) + costOf(4001))
    expect(all('bca')).toBe('a')
    recording.release()
    expect(memory.bytes).toBe(costOfBody(3000))
  })

  test('what is over in time makes room first', () => {
    const { memory, clock, set } = memoryOf({ ttlMs: 1000 })
    set('a')
    clock.ms += 1000
    memory.record().append(bodyOf(1))
    expect([memory.entries, memory.bytes]).toEqual([0, costOf(1)])
  })

  test('an endless one is read through a window', () => {
    const { memory } = memoryOf({ maxBytes: 64 * mebibyte })
    const recording = memory.record()
    const lag = 100_000
    const piece = bodyOf(9973)
    let kept = true
    for (let length = 0; length < 40 * mebibyte; length += piece.length) {
      kept = recording.append(piece)
      if (kept) continue
      recording.forget(recording.length - lag)
      expect(memory.bytes).toBeLessThanOrEqual(costOf(lag + 512))
      const at = recording.length - lag
      const expected = Buffer.concat([piece.subarray(at % piece.length), piece])
      expect(same(recording.read(at, piece.length), expected.subarray(0, piece.length))).toBe(true)
    }
    expect(kept).toBe(false)
    recording.forget(any)
    expect(memory.bytes).toBeLessThanOrEqual(costOf(512))
    recording.append(piece)
    expect(same(recording.read(recording.length - piece.length, any), piece)).toBe(true)
    recording.release()
    expect(memory.bytes).toBe(0)
  })

  test('what was forgotten cannot be read, what is behind it can', () => {
    const { memory } = memoryOf()
    const recording = memory.record()
    write(recording, bodyOf(5000))
    recording.forget(0)
    recording.forget(2000)
    recording.forget(1000)
    expect(memory.bytes).toBe(costOf(5000) - costOf(1536))
    expect(() => recording.read(1999, 1)).toThrow('forgotten')
    expect(same(recording.read(2000, any), bodyOf(5000).subarray(2000))).toBe(true)
    expect(recording.length).toBe(5000)
  })
})

describe('what is kept', () => {
  test.each([0, 1, 467, 468, 469, 511, 512, 513, 1024, 5000, 100_000])('is an entry as any other: %d bytes', length => {
    const { memory, clock, bodyAt } = memoryOf({ ttlMs: 1000 })
    const recording = memory.record()
    write(recording, bodyOf(length, 3))
    clock.ms += 700
    const head = { ...headOf('ab'), form: 'events' as const, contentType: 'text/event-stream', tokens: 99 }
    expect(recording.keep(keyOf('a'), head)).toBe(true)
    clock.ms += 600
    const found = memory.get(keyOf('a'), any)
    expect([found?.head, found?.ageMs, memory.entries]).toEqual([head, 600, 1])
    expect(same(bodyAt('a'), bodyOf(length, 3))).toBe(true)
    expect(same(readAll(recording, 1000), bodyOf(length, 3))).toBe(true)
    recording.release()
    expect(same(bodyAt('a'), bodyOf(length, 3))).toBe(true)
    clock.ms += 400
    expect(bodyAt('a')).toBeUndefined()
    expect([memory.entries, memory.bytes]).toEqual([0, 0])
  })

  test('costs what it would have cost at once, and replaces what has its key', () => {
    const { memory, set, bodyAt } = memoryOf()
    set('a', 9000)
    const recording = memory.record()
    write(recording, bodyOf(5000, 1))
    expect(memory.bytes).toBe(costOfBody(9000) + costOf(5000))
    expect(recording.keep(keyOf('a'), headOf())).toBe(true)
    expect([memory.entries, memory.bytes]).toEqual([1, costOfBody(5000)])
    recording.release()
    recording.release()
    expect([memory.entries, memory.bytes]).toEqual([1, costOfBody(5000)])
    expect(same(bodyAt('a'), bodyOf(5000, 1))).toBe(true)
  })

  test('makes room for its entry', () => {
    const { memory, set, all } = memoryOf({ maxEntries: 2 })
    set('a')
    set('b')
    const recording = memory.record()
    recording.append(bodyOf(10))
    expect(memory.entries).toBe(2)
    recording.keep(keyOf('c'), headOf())
    expect(all('abc')).toBe('bc')
    const tight = memoryOf({ maxBytes: 3 * costOfBody(3000) })
    for (const name of 'abc') tight.set(name)
    const other = tight.memory.record()
    other.append(bodyOf(480)) // one block, and its head needs another
    other.keep(keyOf('d'), headOf())
    expect(tight.all('abcd')).toBe('bcd')
  })

  test('it is not kept twice, nor written on', () => {
    const { memory, all } = memoryOf()
    const recording = memory.record()
    recording.append(bodyOf(10))
    expect(recording.keep(keyOf('a'), headOf())).toBe(true)
    expect(recording.keep(keyOf('b'), headOf())).toBe(false)
    expect(() => recording.append(bodyOf(1))).toThrow('kept')
    recording.forget(10) // nothing: it is the entry's
    recording.release()
    expect(recording.keep(keyOf('b'), headOf())).toBe(false)
    expect(() => recording.append(bodyOf(1))).toThrow('released')
    expect(() => recording.read(0, 1)).toThrow('released')
    expect(all('ab')).toBe('a')
    expect(memory.bytes).toBe(costOfBody(10))
  })

  test.each<[string, (one: ReturnType<typeof memoryOf>) => void]>([
    ['is replaced', ({ set }) => set('a', 10)],
    ['is driven out', ({ memory, set }) => [memory.limit({ ...roomy, maxEntries: 1 }), set('b', 10)]],
    [
      'is too old',
      ({ clock, all }) => {
        clock.ms += 1e9
        all('a')
      },
    ],
    ['is cleared', ({ memory, set }) => [memory.clear(), set('b', 10)]],
    ['is cleared with its model', ({ memory, set }) => [memory.clear('m0'), set('b', 10)]],
    ['finds the cache switched off', ({ memory }) => memory.limit({ maxEntries: 0, maxBytes: 0, ttlMs: 0 })],
  ])('who reads it finishes when the entry %s meanwhile', (_, end) => {
    const one = memoryOf()
    const { memory } = one
    const recording = memory.record()
    write(recording, bodyOf(50_000))
    recording.keep(keyOf('a'), headOf())
    expect(same(recording.read(0, 20_000), bodyOf(20_000))).toBe(true)
    end(one)
    const entries = memory.entries
    expect(memory.bytes).toBe(entries * costOfBody(10) + costOfBody(50_000) - costOfBody(0) + costOf(1))
    one.set('c', 5000) // writes into what is free
    expect(same(recording.read(20_000, any), bodyOf(50_000).subarray(20_000))).toBe(true)
    recording.release()
    memory.clear()
    expect(memory.bytes).toBe(0)
  })
})

describe('what is not kept', () => {
  /** The old answer of its key is there still, and everything else. */
  function refused(prepare: (recording: Recording, one: ReturnType<typeof memoryOf>) => void, limits: Partial<Limits> = {}) {
    const one = memoryOf(limits)
    const recording = one.memory.record()
    prepare(recording, one)
    const before = [one.memory.entries, one.memory.bytes]
    expect(recording.keep(keyOf('a'), headOf())).toBe(false)
    expect([one.memory.entries, one.memory.bytes]).toEqual(before)
    recording.release()
    one.memory.clear()
    expect(one.memory.bytes).toBe(0)
  }

  test('longer than a quarter of the memory', () => {
    refused(
      (recording, { set, all }) => {
        set('a')
        expect(recording.append(bodyOf(25_000))).toBe(true)
        expect(recording.append(bodyOf(1))).toBe(false)
        expect(all('a')).toBe('a')
        expect(recording.length).toBe(25_001)
      },
      { maxBytes: 100_000 },
    )
  })

  test('longer than 16 MiB, however much room there is', () => {
    refused(recording => {
      const piece = bodyOf(mebibyte)
      expect(Array.from({ length: 17 }, () => recording.append(piece))).toEqual([...new Array(16).fill(true), false])
      expect(recording.append(new Uint8Array(0))).toBe(false)
      expect(same(recording.read(16 * mebibyte, any), piece)).toBe(true)
    })
  })

  test('longer than the limit is now', () => {
    refused((recording, { memory }) => {
      expect(recording.append(bodyOf(5000))).toBe(true)
      memory.limit({ ...roomy, maxBytes: 4 * 4999 })
    })
  })

  test('forgotten in part', () => {
    refused(recording => {
      recording.append(bodyOf(1000))
      recording.forget(1)
      expect(recording.append(bodyOf(10))).toBe(false)
    })
  })

  test('without room, because recordings take all of it', () => {
    const { memory, set, all } = memoryOf({ maxBytes: 50 * costOf(1) })
    const recordings = Array.from({ length: 5 }, () => memory.record())
    set('a', 10)
    const kept = recordings.map(recording => recording.append(bodyOf(10 * 512)))
    expect(kept).toEqual([true, true, true, true, true]) // 50 blocks
    expect([memory.entries, memory.bytes]).toEqual([0, 50 * costOf(1)])
    expect(recordings[0]?.append(bodyOf(1))).toBe(false)
    expect(same(recordings[0]?.read(5120, 1), bodyOf(1))).toBe(true)
    expect(set('a', 10)).toBe(false)
    expect(recordings[1]?.keep(keyOf('b'), headOf())).toBe(false) // no room for its head
    recordings[0]?.release()
    expect(recordings[1]?.keep(keyOf('b'), headOf())).toBe(true)
    expect(set('a', 10)).toBe(true)
    expect(all('ab')).toBe('ab')
    for (const recording of recordings) recording.release()
    expect(memory.bytes).toBe(costOfBody(5120) + costOfBody(10))
  })

  test('what cannot fit drives nothing out', () => {
    const { memory, set, all } = memoryOf({ maxBytes: 100 * costOf(1) })
    const recording = memory.record()
    recording.append(bodyOf(50 * 512))
    set('a', 10)
    expect(set('b', 50 * 512)).toBe(false)
    expect(all('ab')).toBe('a')
  })

  test('with the cache switched off; it can be read all the same', () => {
    refused(
      recording => {
        expect(recording.append(bodyOf(3000))).toBe(false)
        expect(same(recording.read(0, any), bodyOf(3000))).toBe(true)
      },
      { maxEntries: 0, maxBytes: 0, ttlMs: 0 },
    )
    refused(recording => recording.append(bodyOf(10)), { maxEntries: 0 })
  })

  test('released before', () => {
    const { memory } = memoryOf()
    const recording = memory.record()
    recording.append(bodyOf(10))
    recording.release()
    expect(recording.keep(keyOf('a'), headOf())).toBe(false)
    expect([memory.entries, memory.bytes]).toEqual([0, 0])
  })
})

test('other limits move what is kept together; what arrives and who reads do not notice', () => {
  const { memory, set, bodyAt } = memoryOf()
  for (let i = 0; i < 1000; i++) set(`old ${i}`)
  const early = memory.record()
  write(early, bodyOf(40_000, 1))
  const kept = memory.record()
  write(kept, bodyOf(60_000, 2))
  kept.keep(keyOf('kept'), headOf())
  const behind = memory.record()
  write(behind, bodyOf(100_000, 4))
  behind.forget(70_000)
  const empty = memory.record()
  for (let i = 0; i < 10; i++) set(`new ${i}`, 3000 + i)
  memory.limit({ ...roomy, maxEntries: 11 })
  memory.limit({ ...roomy, maxBytes: 4e5 })
  expect(memory.entries).toBe(11)
  write(early, bodyOf(20_000, 3))
  write(behind, bodyOf(1000, 5))
  write(empty, bodyOf(2000, 6))
  set('another', 5000)
  expect(same(early.read(0, any), Buffer.concat([bodyOf(40_000, 1), bodyOf(20_000, 3)]))).toBe(true)
  expect(same(kept.read(30_000, any), bodyOf(60_000, 2).subarray(30_000))).toBe(true)
  expect(same(behind.read(70_000, any), Buffer.concat([bodyOf(100_000, 4).subarray(70_000), bodyOf(1000, 5)]))).toBe(true)
  behind.forget(90_000)
  expect(same(behind.read(95_000, 5000), bodyOf(100_000, 4).subarray(95_000))).toBe(true)
  expect(same(empty.read(0, any), bodyOf(2000, 6))).toBe(true)
  expect(same(bodyAt('kept'), bodyOf(60_000, 2))).toBe(true)
  for (let i = 1; i < 10; i++) expect(same(bodyAt(`new ${i}`), bodyOf(3000 + i))).toBe(true)
  expect(early.keep(keyOf('early'), headOf())).toBe(true)
  for (const recording of [early, kept, behind, empty]) recording.release()
  expect(same(bodyAt('early'), Buffer.concat([bodyOf(40_000, 1), bodyOf(20_000, 3)]))).toBe(true)
  memory.clear()
  expect(memory.bytes).toBe(0)
})

const models = ['m0', 'm1', 'm2'] as const
const allLimits: readonly Limits[] = [
  { maxEntries: 60, maxBytes: 6e6, ttlMs: 4000 }, // some slabs
  { maxEntries: 25, maxBytes: 2.5e6, ttlMs: 4000 },
  { maxEntries: 60, maxBytes: 9e6, ttlMs: 2000 },
  { maxEntries: 0, maxBytes: 0, ttlMs: 0 },
]

interface Pair {
  readonly real: Recording
  readonly plain: PlainRecording
  /** How far each of those who read it is. */
  readonly readers: number[]
}

test.each([1, 2, 3, 4, 5, 6])('random schedules: as plain maps do it, and no byte lost (%d)', seed => {
  const clock = { ms: 1_000_000 }
  const [first] = allLimits as [Limits]
  const real = createMemory(first, () => clock.ms)
  const plain = createPlainMemory(first, () => clock.ms)
  const random = randomOf(seed)
  const below = (count: number) => Math.floor(random() * count)
  const oneOf = <T>(list: readonly T[]) => list[below(list.length)] as T
  const source = Buffer.from(bodyOf(1_000_000))
  const randomBytes = (longest: number) => Buffer.from(source.subarray(below(251)).subarray(0, Math.floor(random() ** 3 * longest)))
  const pairs: Pair[] = []
  let limits = first

  const operations: [weight: number, run: (key: string, model: string) => void][] = [
    [
      40,
      key => {
        const maxAgeMs = oneOf([any, any, 1000])
        const found = real.get(key, maxAgeMs)
        const expected = plain.get(key, maxAgeMs)
        expect(found !== undefined).toBe(expected !== undefined)
        if (!found || !expected) return
        expect([found.head, found.ageMs]).toEqual([headOf(expected.model), clock.ms - expected.at])
        expect(same(found.body, expected.chain.bytes)).toBe(true)
      },
    ],
    [
      40,
      (key, model) => {
        const body = randomBytes(800_000)
        const ageMs = oneOf([0, 0, 0, 1500])
        expect(real.set(key, { body: new Uint8Array(body), head: headOf(model) }, ageMs)).toBe(plain.set(key, body, model, ageMs))
      },
    ],
    [16, () => pairs.length < 12 && pairs.push({ real: real.record(), plain: plain.record(), readers: [0, 0] })],
    [
      80,
      () => {
        const pair = oneOf(pairs)
        if (!pair || pair.plain.kept) return
        const bytes = randomBytes(oneOf([300, 30_000, 600_000]))
        expect(pair.real.append(bytes)).toBe(plain.append(pair.plain, bytes))
        expect(pair.real.length).toBe(pair.plain.chain.bytes.length)
      },
    ],
    [
      80,
      () => {
        const pair = oneOf(pairs)
        if (!pair) return
        const reader = below(pair.readers.length)
        const at = Math.max(pair.readers[reader] as number, pair.plain.forgotten)
        const most = oneOf([1, 512, 5000, 100_000])
        const read = pair.real.read(at, most)
        expect(same(read, pair.plain.chain.bytes.subarray(at, at + most))).toBe(true)
        pair.readers[reader] = at + read.length
        if (random() < 0.1) pair.readers.push(pair.plain.forgotten)
      },
    ],
    [
      8,
      () => {
        const pair = oneOf(pairs)
        if (!pair || (pair.plain.keepable && random() < 0.8)) return
        const before = below(pair.real.length + 1)
        pair.real.forget(before)
        plain.forget(pair.plain, before)
      },
    ],
    [
      16,
      (key, model) => {
        const pair = oneOf(pairs)
        if (pair) expect(pair.real.keep(key, headOf(model))).toBe(plain.keep(pair.plain, key, model))
      },
    ],
    [
      14,
      () => {
        const [pair] = pairs.splice(below(pairs.length), 1)
        if (!pair) return
        for (const at of pair.readers) {
          const from = Math.max(at, pair.plain.forgotten)
          expect(same(pair.real.read(from, any), pair.plain.chain.bytes.subarray(from))).toBe(true)
        }
        pair.real.release()
        plain.release(pair.plain)
      },
    ],
    [
      2,
      () => {
        limits = random() < 0.3 ? oneOf(allLimits) : first
        real.limit(limits)
        plain.limit(limits)
      },
    ],
    [
      1,
      (_, model) => {
        const which = random() < 0.7 ? model : undefined
        expect(real.clear(which)).toBe(plain.clear(which))
      },
    ],
  ]
  const lottery = operations.flatMap(([weight, run]) => new Array<typeof run>(weight).fill(run))

  for (let step = 0; step < 6000; step++) {
    clock.ms += below(12)
    const run = oneOf(lottery)
    run(keyOf(below(80)), oneOf(models))
    expect([step, real.entries, real.bytes]).toEqual([step, plain.entries.size, plain.bytes()])
    const recorded = [...plain.recordings].reduce((sum, { chain }) => sum + chain.blocks * costOf(1), 0)
    expect(real.bytes).toBeLessThanOrEqual(Math.max(limits.maxBytes, recorded))
  }
  for (const pair of pairs) {
    expect(same(pair.real.read(pair.plain.forgotten, any), pair.plain.chain.bytes.subarray(pair.plain.forgotten))).toBe(true)
    pair.real.release()
  }
  real.clear()
  expect([real.entries, real.bytes]).toEqual([0, 0])
})
