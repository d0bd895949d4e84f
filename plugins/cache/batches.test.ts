import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { openBehind, type Question } from './testing/behind.ts'
import { eventually } from './testing/client.ts'
import { type CachingHouse, openCachingHouse, pipelineWith, type Read } from './testing/house.ts'
import { kinds, openKinds } from './testing/kinds.ts'
import { managedKeys, witness } from './testing/plugins.ts'

let up: Awaited<ReturnType<typeof openKinds>>
let house: CachingHouse
let plain: CachingHouse
beforeAll(async () => {
  up = await openKinds()
  house = await openCachingHouse({ yaml: up.yaml })
  plain = await openCachingHouse({ yaml: { ...up.yaml, cache: { enabled: false } } })
})
beforeEach(async () => {
  await house.clear()
  for (const fake of Object.values(up.fakes)) fake.clear()
})
afterAll(async () => {
  await Promise.all([house.stop(), plain.stop()])
  await up.stop()
})

interface Embeddings {
  readonly data: readonly { readonly index: number; readonly embedding: unknown }[]
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number }
}
type Fields = Readonly<Record<string, unknown>>

const embed = (of: CachingHouse, fields: Fields, headers = {}) =>
  of.post('/v1/embeddings', JSON.stringify({ model: 'm', ...fields }), headers)
const read = ({ body }: Read) => JSON.parse(body) as Embeddings
const vectors = (answer: Read) => read(answer).data.map(({ embedding }) => embedding)
const indexes = (answer: Read) => read(answer).data.map(({ index }) => index)

describe.each(kinds)('a batch for %s', kind => {
  const fake = () => up.fakes[kind]
  const inputs = () => fake().requests.map(({ json }) => (json as { readonly input: unknown }).input)
  const model = `${kind}/echo`

  test.each(['float', 'base64'])('asks only for what is missing, and each once (%s)', async encoding => {
    const ask = (of: CachingHouse, input: unknown) => embed(of, { model, input, encoding_format: encoding })
    const first = await ask(house, ['a', 'bb', 'a', 'ccc', 'bb'])
    const second = await ask(house, ['ccc', 'dddd', 'a'])
    const third = await ask(house, ['dddd', 'ccc', 'bb', 'a', 'dddd'])
    expect([first.cache, second.cache, third.cache]).toEqual(['MISS', 'MISS', 'HIT'])
    expect(inputs()).toEqual([['a', 'bb', 'ccc'], ['dddd']])
    for (const [answer, input] of [
      [first, ['a', 'bb', 'a', 'ccc', 'bb']],
      [second, ['ccc', 'dddd', 'a']],
      [third, ['dddd', 'ccc', 'bb', 'a', 'dddd']],
    ] as const) {
      const truth = await ask(plain, input)
      expect(vectors(answer)).toEqual(vectors(truth))
      expect(indexes(answer)).toEqual(input.map((_, i) => i))
      expect(Object.keys(read(answer)).sort()).toEqual(Object.keys(read(truth)).sort())
    }
  })

  test('that comes again is the same bytes, from the first answer on', async () => {
    for (const input of [['a', 'bb'], ['x', 'x', 'yy'], ['alone']]) {
      const answers = [await embed(house, { model, input }), await embed(house, { model, input }), await embed(house, { model, input })]
      expect(answers.map(({ cache }) => cache)).toEqual(['MISS', 'HIT', 'HIT'])
      expect(answers[1]?.body).toBe(answers[0]?.body as string)
      expect(answers[2]?.body).toBe(answers[0]?.body as string)
      expect(answers[1]?.headers.get('content-type')).toBe(answers[0]?.headers.get('content-type') as string)
    }
  })

  test('a text, a list of it alone and a member of a batch are one', async () => {
    const single = await embed(house, { model, input: 'one text' })
    const listed = await embed(house, { model, input: ['one text'] })
    const batch = await embed(house, { model, input: ['one text', 'one text'] })
    await embed(house, { model, input: ['another', 'text'] })
    const member = await embed(house, { model, input: 'another' })
    expect([single, listed, batch, member].map(({ cache }) => cache)).toEqual(['MISS', 'HIT', 'HIT', 'HIT'])
    expect(listed.body).toBe(single.body)
    expect(vectors(batch)).toEqual([vectors(single)[0], vectors(single)[0]])
    expect(vectors(member)).toEqual(vectors(await embed(plain, { model, input: 'another' })))
    expect(fake().streams.length).toBeLessThanOrEqual(3) // with the plain one's
  })
})

/** An upstream whose vectors and tokens depend on each input alone. */
const vectorOf = (input: unknown, dimensions = 3) => {
  const hash = Bun.hash.xxHash32(JSON.stringify(input))
  return Array.from({ length: dimensions }, (_, i) => ((hash >>> i) % 1000) / 7)
}
const honest = ({ payload: { input, dimensions, model } }: Pick<Question, 'payload'>) => {
  const list = (Array.isArray(input) && typeof input[0] !== 'number' ? input : [input]) as readonly unknown[]
  const data = list.map((one, index) => ({ object: 'embedding', index, embedding: vectorOf(one, dimensions as number | undefined) }))
  const tokens = list.reduce<number>((sum, one) => sum + (one as { readonly length: number }).length, 0)
  return { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } }
}
const answering = (
  questions: Question['payload'][],
  change: (answer: ReturnType<typeof honest>, question: Question) => object = same => same,
) =>
  openBehind(question => {
    questions.push(question.payload)
    return Response.json(change(honest(question), question))
  })

describe('a batch', () => {
  test('of lists of tokens', async () => {
    const asked: Question['payload'][] = []
    await using behind = await answering(asked)
    const batch = await embed(behind.house, { input: [[1, 2], [3], [1, 2]] })
    expect(vectors(batch)).toEqual([vectorOf([1, 2]), vectorOf([3]), vectorOf([1, 2])])
    const alone = await embed(behind.house, { input: [1, 2] })
    const texts = await embed(behind.house, { input: ['1', '2'] })
    expect([alone.cache, texts.cache]).toEqual(['HIT', 'MISS'])
    expect(vectors(alone)).toEqual([vectorOf([1, 2])])
    expect(asked.map(({ input }) => input)).toEqual([
      [[1, 2], [3]],
      ['1', '2'],
    ])
  })

  test('has the tokens of all its inputs, and is charged for those that were asked for', async () => {
    await using behind = await openBehind(question => Response.json(honest(question)), {
      files: { 'above.ts': witness('above') },
      yaml: { pipeline: pipelineWith({ above: ['./above.ts'] }) },
    })
    const usages = []
    for (const input of [
      ['a', 'bbb'],
      ['bbb', 'ccccc', 'bbb'],
      ['a', 'bbb', 'ccccc'],
    ])
      usages.push(read(await embed(behind.house, { input })).usage)
    expect(usages.map(({ prompt_tokens, total_tokens }) => [prompt_tokens, total_tokens])).toEqual([
      [4, 4],
      [11, 11],
      [9, 9],
    ])
    const charged = behind.house.lines
      .filter(({ what }) => what === 'settled')
      .map(({ usage }) => (usage as { promptTokens: number }).promptTokens)
    expect(charged).toEqual([4, 5, 0])
  })

  test('differs by everything that makes other vectors, and by nothing else', async () => {
    const asked: Question['payload'][] = []
    await using behind = await answering(asked)
    const input = ['a', 'b']
    const caches = []
    for (const more of [
      {},
      { dimensions: 2 },
      { dimensions: 4 },
      { encoding_format: 'base64' },
      { model: 'other' },
      { seed: 1 },
      { user: 'x' },
    ]) {
      caches.push((await embed(behind.house, { input, ...more })).cache)
    }
    expect(caches).toEqual(['MISS', 'MISS', 'MISS', 'MISS', 'MISS', 'MISS', 'HIT'])
    expect(vectors(await embed(behind.house, { input, dimensions: 2 }))).toEqual(input.map(one => vectorOf(one, 2)))
    const swapped = await embed(behind.house, { input: ['b', 'a'] })
    expect([swapped.cache, vectors(swapped)]).toEqual(['HIT', [vectorOf('b'), vectorOf('a')]])
  })

  test.each([
    ['9007199254740993', '9007199254740992'],
    ['1e400', '1e401'],
    ['0.1', '0.2'],
    ['1', '2'],
  ])('next to the number %s: its digits count, and it is kept', async (number, neighbour) => {
    await using behind = await answering([])
    const ask = (input: string, seed: string) => behind.house.post('/v1/embeddings', `{"model":"m","input":${input},"x_seed":${seed}}`)
    for (const input of ['["a","bb"]', '"c"', '["d"]']) {
      const caches = []
      for (const seed of [number, neighbour, number, neighbour]) caches.push((await ask(input, seed)).cache)
      expect(caches).toEqual(['MISS', 'MISS', 'HIT', 'HIT'])
    }
  })

  test.each<[string, (answer: ReturnType<typeof honest>) => object]>([
    ['too few vectors', answer => ({ ...answer, data: answer.data.slice(1) })],
    ['too many', answer => ({ ...answer, data: [...answer.data, ...answer.data] })],
    ['one number twice', answer => ({ ...answer, data: answer.data.map(item => ({ ...item, index: 0 })) })],
    ['an empty vector', answer => ({ ...answer, data: answer.data.map(item => ({ ...item, embedding: [] })) })],
  ])('that gets %s: nothing is kept, and nothing is made up', async (_, change) => {
    const asked: Question['payload'][] = []
    let lying = false
    await using behind = await answering(asked, answer => (lying ? change(answer) : answer))
    await embed(behind.house, { input: ['a', 'b'] })
    lying = true
    const { entries } = await behind.house.report()
    expect((await embed(behind.house, { input: ['a', 'b', 'cc', 'dd'] })).status).toBe(502)
    const whole = await embed(behind.house, { input: ['e', 'f'] })
    expect([whole.status, whole.body]).toEqual([200, JSON.stringify(change(honest({ payload: { input: ['e', 'f'], model: 'm' } })))])
    expect((await behind.house.report()).entries).toBe(entries)
    lying = false
    expect(vectors(await embed(behind.house, { input: ['a', 'b', 'cc', 'dd'] }))).toEqual(['a', 'b', 'cc', 'dd'].map(one => vectorOf(one)))
  })

  test('that a fallback answers has no vectors of the other model in it', async () => {
    let broken = false
    const vllm = { type: 'vllm', base_url: up.fakes.vllm.url }
    const asked: unknown[] = []
    await using behind = await openBehind(question => {
      asked.push(question.payload.input)
      return broken ? new Response('', { status: 500 }) : Response.json(honest(question))
    })
    const { backends } = behind.house.serving.gateway.config
    const targets = [
      { backend: 'up', model: 'a' },
      { backend: 'vllm', model: 'echo' },
    ]
    await using both = await openCachingHouse({
      yaml: { backends: { ...backends, vllm }, models: [{ name: 'm', targets }], router: { retries: 0 } },
    })
    await embed(both, { input: ['a', 'ccc'] })
    broken = true
    const mixed = await embed(both, { input: ['a', 'bb'] })
    expect(vectors(mixed)).toEqual(vectors(await embed(plain, { model: 'vllm/echo', input: ['a', 'bb'] })))
    expect(mixed.cache).toBe('MISS')
    await embed(both, { input: ['dddd', 'eeeee'] })
    expect((await both.report()).entries).toBe(2) // nothing of a fallback is kept
    broken = false
    expect(vectors(await embed(both, { input: ['a', 'bb'] }))).toEqual([vectorOf('a'), vectorOf('bb')])
    expect(asked).toEqual([['a', 'ccc'], ['bb'], ['a', 'bb'], ['dddd', 'eeeee'], ['bb']])
  })

  test('in any order of the upstream', async () => {
    await using behind = await answering([], answer => ({ ...answer, data: answer.data.toReversed() }))
    for (let i = 0; i < 2; i++) {
      const answer = await embed(behind.house, { input: ['a', 'bb', 'ccc'] })
      expect([indexes(answer), vectors(answer)]).toEqual([[0, 1, 2], ['a', 'bb', 'ccc'].map(one => vectorOf(one))])
    }
  })

  test('with no-cache is asked for as a whole, and kept', async () => {
    const asked: Question['payload'][] = []
    await using behind = await answering(asked, (answer, { count }) => ({
      ...answer,
      data: answer.data.map(item => ({ ...item, embedding: [count] })),
    }))
    const input = ['a', 'b']
    await embed(behind.house, { input })
    const forced = await embed(behind.house, { input }, { 'cache-control': 'no-cache' })
    const after = await embed(behind.house, { input: ['b', 'a'] })
    expect([forced.cache, after.cache]).toEqual(['BYPASS', 'HIT'])
    expect([vectors(forced), vectors(after)]).toEqual([
      [[2], [2]],
      [[2], [2]],
    ])
    expect(asked.map(({ input }) => input)).toEqual([input, input])
    await embed(behind.house, { input: ['a', 'z'] }, { 'cache-control': 'no-store' })
    expect(asked.at(-1)?.input).toEqual(['a', 'z'])
    expect((await embed(behind.house, { input: 'z' })).cache).toBe('MISS')
  })

  test('at the same time as another: each gets its own, identical ones are asked for once', async () => {
    const asked: Question['payload'][] = []
    await using behind = await openBehind(async question => {
      asked.push(question.payload)
      await question.released
      return Response.json(honest(question))
    })
    const inputs = [['a', 'bb'], ['bb', 'ccc'], ['a', 'bb'], ['a', 'bb', 'ccc'], ['bb']]
    const answers = inputs.map(input => embed(behind.house, { input }))
    await eventually(() => asked.length === 4 && behind.house.serving.gateway.exchanges.list().length === 5, 'they are there')
    behind.release()
    for (const [i, answer] of (await Promise.all(answers)).entries()) {
      expect(vectors(answer)).toEqual((inputs[i] as readonly string[]).map(one => vectorOf(one)))
    }
    expect(asked).toHaveLength(4)
    expect(await behind.house.report()).toMatchObject({ entries: 3, joins: 1, misses: 4 })
    expect((await embed(behind.house, { input: ['ccc', 'a', 'bb'] })).cache).toBe('HIT')
  })

  test('of a managed key is its own', async () => {
    await using behind = await openBehind(question => Response.json(honest(question)), {
      files: { 'keys.ts': managedKeys },
      yaml: { pipeline: pipelineWith({ above: ['./keys.ts'] }) },
    })
    const caches = []
    for (const id of ['1', '1', '2']) caches.push((await embed(behind.house, { input: ['a', 'b'] }, { 'x-managed': id })).cache)
    expect(caches).toEqual(['MISS', 'HIT', 'MISS'])
  })

  test.each([10_000, 1000])('of 2048 inputs, with room for %d', async maxEntries => {
    const asked: Question['payload'][] = []
    await using behind = await openBehind(
      question => {
        asked.push(question.payload)
        return Response.json(honest(question))
      },
      { yaml: { cache: { max_entries: maxEntries } } },
    )
    const inputs = Array.from({ length: 2048 }, (_, i) => `text ${i}`)
    const half = await embed(behind.house, { input: inputs.filter((_, i) => i % 2 === 0), dimensions: 64 })
    const first = await embed(behind.house, { input: inputs, dimensions: 64 })
    const second = await embed(behind.house, { input: inputs, dimensions: 64 })
    for (const answer of [first, second]) expect(vectors(answer)).toEqual(inputs.map(one => vectorOf(one, 64)))
    expect(second.body === first.body).toBe(true)
    expect(half.status).toBe(200)
    if (maxEntries === 1000) return
    expect(asked.map(({ input }) => (input as readonly string[]).length)).toEqual([1024, 1024])
    expect([first.cache, second.cache]).toEqual(['MISS', 'HIT'])
  })
})
