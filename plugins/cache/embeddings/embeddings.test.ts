import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { fakeLlamaServer } from '../../../core/testing/fake-llama-server.ts'
import { fakeOllama } from '../../../core/testing/fake-ollama.ts'
import { fakeOpenai } from '../../../core/testing/fake-openai.ts'
import type { FakeServer } from '../../../core/testing/fake-server.ts'
import { fakeVllm } from '../../../core/testing/fake-vllm.ts'
import { type House, openHouse } from '../../../core/testing/open-house.ts'
import { seededRandom } from '../../../core/testing/random.ts'
import { canonical } from '../canonical.ts'
import { inputsOf, join, split, withInput } from './embeddings.ts'

type Json = Record<string, unknown>
const encoder = new TextEncoder()
const decoder = new TextDecoder()
const bytes = (json: unknown, indent?: number) => encoder.encode(JSON.stringify(json, null, indent))
const read = (body: Uint8Array | undefined): Json | undefined => body && JSON.parse(decoder.decode(body))
const readAll = (pieces: readonly Uint8Array[] | undefined) => pieces?.map(piece => read(piece) as Json)
const inputs = (input: unknown, more: Json = {}) => inputsOf({ model: 'm', input, ...more })

describe('inputsOf', () => {
  test.each([
    ['a', ['a']],
    ['', ['']],
    [['a'], ['a']],
    [
      ['a', 'b', 'a'],
      ['a', 'b', 'a'],
    ],
    [[1, 2], [[1, 2]]],
    [
      [[1, 2], [3]],
      [[1, 2], [3]],
    ],
    [{ text: 'a' }, [{ text: 'a' }]],
    [
      [{ text: 'a' }, { image: 'b' }],
      [{ text: 'a' }, { image: 'b' }],
    ],
  ])('%j are %j', (input, expected) => expect(inputs(input)).toEqual(expected))

  test.each([
    [undefined],
    [null],
    [1],
    [true],
    [[]],
    [[[]]],
    [[1, 'a']],
    [['a', [1]]],
    [['a', {}]],
    [[1.5]],
    [[[1.5]]],
    [[null]],
    [[[[1]]]],
  ])('%j cannot be split', input => expect(inputs(input)).toBeUndefined())

  test('nor can what lies beside a list of its own, or depends on the others', () => {
    expect(inputs(['a'], { titles: ['t'] })).toBeUndefined()
    expect(inputs(['a', 'b'], { late_chunking: true })).toBeUndefined()
    expect(inputs(['a', 'b'], { late_chunking: false, dimensions: 5, user: 'u', options: { stop: ['x'] } })).toEqual(['a', 'b'])
  })
})

test('withInput writes a request the same way whatever it was', () => {
  const key = (input: unknown, place = 0) => {
    const payload = { model: 'm', input, dimensions: 4 }
    return canonical(withInput(payload, inputsOf(payload)?.[place])).text
  }
  expect(key('a')).toBe(key(['a']))
  expect(key('a')).toBe(key(['b', 'a'], 1))
  expect(key([1, 2])).toBe(key([[1, 2]]))
  expect(new Set([key('a'), key('b'), key(['1']), key([1]), key([[1, 1]]), key({ text: 'a' })]).size).toBe(6)
  expect(withInput({ model: 'm', input: ['a', 'b'], dimensions: 4 }, 'b')).toEqual({ model: 'm', input: ['b'], dimensions: 4 })
})

const item = (index: number, more: Json = {}) => ({ object: 'embedding', index, embedding: [index, -0.5e-7, 1e10], ...more })
const list = (data: unknown, more: Json = {}) => ({
  object: 'list',
  data,
  model: 'm',
  usage: { prompt_tokens: 10, total_tokens: 10 },
  ...more,
})

describe('split', () => {
  test('one whole answer for each input', async () => {
    const pieces = readAll(await split(bytes(list([item(0), item(1)])), ['a', 'bbb']))
    const piece = (at: number, tokens: number) => ({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [at, -0.5e-7, 1e10] }],
      model: 'm',
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    })
    expect(pieces).toStrictEqual([piece(0, 3), piece(1, 7)])
  })

  test('in any order, spacing and encoding; unknown fields stay, numbers stay as they are written', async () => {
    const answer = `\n{ "id" : "embd-\\"]1", "usage":{"prompt_tokens":3 , "details":{"cached":2,"cost":0.3},"why":null}, "odd": [{"a":"}"}, [1]],
      "data" : [ {"embedding" : "AACAPw==" , "extra":{"b":["]"]}, "index" : 1 } , {"index":0,"embedding":"AAAAAA==","extra":1.50} ] , "model":"m"}\n`
    const pieces = await split(encoder.encode(answer), ['a', 'a'])
    expect(readAll(pieces)).toStrictEqual([
      {
        id: 'embd-"]1',
        usage: { prompt_tokens: 2, details: { cached: 1, cost: 0.15 }, why: null },
        odd: [{ a: '}' }, [1]],
        data: [{ index: 0, embedding: 'AAAAAA==', extra: 1.5 }],
        model: 'm',
      },
      {
        id: 'embd-"]1',
        usage: { prompt_tokens: 1, details: { cached: 1, cost: 0.15 }, why: null },
        odd: [{ a: '}' }, [1]],
        data: [{ index: 0, embedding: 'AACAPw==', extra: { b: [']'] } }],
        model: 'm',
      },
    ])
    expect(decoder.decode(pieces?.[0])).toContain('"extra":1.50')
  })

  test('without usage there is none', async () => {
    for (const usage of [undefined, null]) {
      const pieces = await split(bytes({ ...list([item(0)]), usage }), ['a'])
      expect(read(pieces?.[0])?.usage ?? undefined).toBeUndefined()
      expect(read(await join(pieces ?? [], [0]))?.usage ?? undefined).toBeUndefined()
    }
  })

  const wrong: readonly (readonly [string, unknown])[] = [
    ['too few', list([item(0)])],
    ['too many', list([item(0), item(1), item(2)])],
    ['an index twice', list([item(0), item(0)])],
    ['an index twice, and all the others', list([item(0), item(0), item(1)])],
    ['an index too high', list([item(0), item(2)])],
    ['an index below', list([item(-1), item(0)])],
    ['an index in a text', list([item(0), { ...item(1), index: '1' }])],
    ['no index', list([item(0), { object: 'embedding', embedding: [1] }])],
    ['no vector', list([item(0), { object: 'embedding', index: 1 }])],
    ['an empty vector', list([item(0), item(1, { embedding: [] })])],
    ['an empty text', list([item(0), item(1, { embedding: '' })])],
    ['no number', list([item(0), item(1, { embedding: [1, null] })])],
    ['vectors of tokens', list([item(0), item(1, { embedding: [[1], [2]] })])],
    ['both encodings in one', list([item(0), item(1, { embedding: { float: [1] } })])],
    ['no items', list([item(0), 1])],
    ['no list', list({ 0: item(0) })],
    ['no data', { object: 'list', model: 'm' }],
    ['an error', { error: { message: 'boom' } }],
    ['an error beside the data', { ...list([item(0), item(1)]), error: 'boom' }],
    ['a list alone', [item(0), item(1)]],
    ['null', null],
  ]
  test.each(wrong)('not with %s', async (_, answer) => {
    expect(await split(bytes(answer), ['a', 'b'])).toBeUndefined()
    expect(await split(bytes(answer, 2), ['a', 'b'])).toBeUndefined()
  })

  test('not with half of it, wherever it is cut, nor with more behind it', async () => {
    const whole = bytes(list([item(0), item(1, { embedding: 'AAAA', text: 'a"\\' })], { more: [{ a: 'b' }] }))
    for (let length = 0; length < whole.length; length++) expect(await split(whole.subarray(0, length), ['a', 'b'])).toBeUndefined()
    expect(await split(Buffer.concat([whole, encoder.encode(' x')]), ['a', 'b'])).toBeUndefined()
    expect(await split(whole, ['a', 'b'])).toHaveLength(2)
  })

  test('not when data stands there twice', async () => {
    const text = decoder.decode(bytes(list([item(0)])))
    expect(await split(encoder.encode(text.replace('"model"', '"data":[],"model"')), ['a'])).toBeUndefined()
    expect(await split(encoder.encode(text.replace('"model"', '"usage":{},"model"')), ['a'])).toBeUndefined()
  })
})

describe('tokens', () => {
  const shares = async (tokens: number, of: readonly unknown[]) => {
    const answer = list(
      of.map((_, i) => item(i)),
      { usage: { prompt_tokens: tokens, total_tokens: tokens } },
    )
    const pieces = readAll(await split(bytes(answer), of)) ?? []
    return pieces.map(({ usage }) => (usage as { readonly prompt_tokens: number }).prompt_tokens)
  }

  test('by length in bytes, by tokens, or evenly; the largest remainders get the rest', async () => {
    expect(await shares(10, ['aaaa', 'a', ''])).toEqual([7, 2, 1])
    expect(await shares(9, ['éé', 'aaaa', 'a'])).toEqual([4, 4, 1])
    expect(await shares(5, [[1, 2, 3, 4], [5]])).toEqual([4, 1])
    expect(await shares(4, [{ text: 'long long' }, { text: 'x' }])).toEqual([2, 2])
    expect(await shares(0, ['a', 'b'])).toEqual([0, 0])
    expect(await shares(2 ** 53, ['a', 'b'])).toEqual([2 ** 52, 2 ** 52])
  })

  test('they add up exactly', async () => {
    const random = seededRandom(3)
    for (let round = 0; round < 200; round++) {
      const of = Array.from({ length: 1 + Math.floor(random() * 40) }, () => 'x'.repeat(Math.floor(random() ** 3 * 3000)))
      const tokens = Math.floor(random() ** 4 * 1e7)
      const found = await shares(tokens, of)
      expect(found.reduce((sum, share) => sum + share, 0)).toBe(tokens)
      const length = of.reduce((sum, text) => sum + Math.max(1, text.length), 0)
      for (const [place, share] of found.entries()) {
        expect(Number.isInteger(share)).toBe(true)
        expect(Math.abs(share - (tokens * Math.max(1, of[place]?.length ?? 0)) / length)).toBeLessThan(1)
      }
    }
  })
})

describe('join', () => {
  test('puts pieces in any order, numbers them and adds up their tokens', async () => {
    const [a, b] = (await split(bytes(list([item(0, { extra: 'a' }), item(1)])), ['a', 'bbb'])) as [Uint8Array, Uint8Array]
    const other = bytes({ model: 'm', object: 'list', usage: { prompt_tokens: 5, total_tokens: 6, more: 1 }, data: [item(0)] }, 1)
    expect(read(await join([a, b, other], [1, 0, 1, 2]))).toStrictEqual(
      list(
        [
          item(0, { embedding: [1, -0.5e-7, 1e10] }),
          item(1, { embedding: [0, -0.5e-7, 1e10], extra: 'a' }),
          item(2, { embedding: [1, -0.5e-7, 1e10] }),
          item(3, { embedding: [0, -0.5e-7, 1e10] }),
        ],
        { usage: { prompt_tokens: 7 + 3 + 7 + 5, total_tokens: 7 + 3 + 7 + 6, more: 1 } },
      ),
    )
  })

  test('not from what is no answer to one input', async () => {
    const good = bytes(list([item(0)]))
    for (const bad of [
      '',
      '{',
      '[]',
      '{"error":1}',
      decoder.decode(bytes(list([item(0), item(1)]))),
      decoder.decode(bytes(list([item(1)]))),
    ]) {
      expect(await join([good, encoder.encode(bad)], [0, 1])).toBeUndefined()
    }
    expect(await join([], [])).toBeUndefined()
  })

  test('is split backwards', async () => {
    const random = seededRandom(11)
    const vector = () => Array.from({ length: 1 + Math.floor(random() * 30) }, () => (random() - 0.5) * 10 ** Math.floor(random() * 12 - 9))
    for (let round = 0; round < 200; round++) {
      const count = 1 + Math.floor(random() * 8)
      const base64 = random() < 0.5
      const data = Array.from({ length: count }, (_, index) => ({
        ...(random() < 0.5 ? { index, embedding: vector() as unknown } : { embedding: vector() as unknown, index, note: '"]}\\' }),
        ...(base64 && { embedding: Buffer.from(new Float32Array(vector()).buffer).toString('base64') }),
      }))
      const answer = list(data, { id: 'embd-é', nested: { data: [1], usage: { a: ']' } } })
      const of = data.map((_, index) => 'x'.repeat(index))
      const pieces = await split(bytes(answer, round % 3), of)
      expect(read(await join(pieces ?? [], [...of.keys()]))).toStrictEqual(answer)
    }
  })
})

test('a large batch leaves others their turns', async () => {
  const count = 1024
  const vector = `[${'-0.0123456789,'.repeat(1023)}1]`
  const data = Array.from({ length: count }, (_, index) => `{"object":"embedding","index":${index},"embedding":${vector}}`)
  const answer = encoder.encode(`{"object":"list","data":[${data}],"model":"m","usage":{"prompt_tokens":5000,"total_tokens":5000}}`)
  let turns = 0
  let over = false
  const count1 = () => {
    turns++
    if (!over) setImmediate(count1)
  }
  count1()
  const of = data.map(() => 'text')
  const pieces = await split(answer, of)
  expect(turns).toBeGreaterThan(1)
  turns = 0
  const joined = await join(pieces ?? [], [...of.keys()])
  expect(turns).toBeGreaterThan(1)
  over = true
  expect(Buffer.from(joined as Uint8Array).equals(answer)).toBe(true)
})

describe('with the shapes of real servers', () => {
  const names = ['openai', 'vllm', 'llama', 'ollama'] as const
  let fakes: FakeServer[]
  let house: House
  beforeAll(async () => {
    fakes = await Promise.all([fakeOpenai(), fakeVllm(), fakeLlamaServer(), fakeOllama()])
    const types = { openai: 'openai', vllm: 'vllm', llama: 'llamacpp', ollama: 'ollama' }
    house = await openHouse({
      yaml: {
        backends: Object.fromEntries(names.map((name, i) => [name, { type: types[name], base_url: fakes[i]?.url }])),
        models: names.map(backend => ({ name: `${backend}/*`, targets: [{ backend }] })),
      },
    })
  })
  afterAll(async () => {
    await house.stop()
    await Promise.all(fakes.map(fake => fake.stop()))
  })
  const ask = async (payload: object) => {
    const response = await fetch(`${house.url}/v1/embeddings`, { method: 'POST', body: JSON.stringify(payload) })
    expect(response.status).toBe(200)
    return response.bytes()
  }
  /** What is another one's each time. */
  const vectors = (answer: Json | undefined) => ({ ...answer, id: 0, created: 0, usage: 0 })

  test.each(names.flatMap(name => ['float', 'base64'].map(encoding => [name, encoding] as const)))('%s, %s', async (name, encoding) => {
    const payload = { model: `${name}/echo`, input: ['a', 'bb', 'ccc', 'a'], encoding_format: encoding }
    const batch = await ask(payload)
    const pieces = await split(batch, inputsOf(payload) ?? [])
    for (const [place, input] of payload.input.entries()) {
      const single = await ask(withInput(payload, input))
      expect(vectors(read(pieces?.[place]))).toEqual(vectors(read(single)))
      expect(vectors(read((await split(single, [input]))?.[0]))).toEqual(vectors(read(single)))
    }
    expect(read(await join(pieces ?? [], [0, 1, 2, 3]))).toStrictEqual(read(batch) as Json)
    expect(vectors(read(await join(pieces ?? [], [0, 1, 2, 0])))).toEqual(vectors(read(batch)))
  })
})
