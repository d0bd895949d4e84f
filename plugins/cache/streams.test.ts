import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { deltaEvent, eventsOf, openBehind, streamed, usageEvent } from './testing/behind.ts'
import { eventually } from './testing/client.ts'
import { type CachingHouse, openCachingHouse, type Read } from './testing/house.ts'
import { kinds, openKinds, tools } from './testing/kinds.ts'
import { alike, assemble, blocksOf, usageBlockOf, withoutUsage } from './testing/streams.ts'

let up: Awaited<ReturnType<typeof openKinds>>
let house: CachingHouse
/** The same without a cache: what an answer is like when nobody has kept it. */
let plain: CachingHouse

beforeAll(async () => {
  up = await openKinds()
  house = await openCachingHouse({ yaml: up.yaml })
  plain = await openCachingHouse({ yaml: { ...up.yaml, cache: { enabled: false } } })
})
beforeEach(() => {
  for (const fake of Object.values(up.fakes)) fake.clear()
})
afterAll(async () => {
  await Promise.all([house.stop(), plain.stop()])
  await up.stop()
})

let fresh = 0
/** A message that no test has sent before. */
const unique = () => ({ messages: [{ role: 'user', content: `streams ${++fresh}` }] })
const withUsage = { stream: true, stream_options: { include_usage: true } }
const asStream = { stream: true }

/** What an answer and its replay have in common; all other headers tell of the request itself. */
const headersOf = ({ headers }: Read) =>
  ['content-type', 'cache-control', 'connection', 'x-accel-buffering', 'x-gatehouse-ignored'].map(name => [name, headers.get(name)])

describe.each(kinds)('a stream of %s', kind => {
  const streams = () => up.fakes[kind].streams.length

  test.each(['echo', 'len', 'tail', 'unicode', 'think', 'two', 'big', 'burst:300:0'])('%s is replayed byte for byte', async model => {
    const fields = { model: `${kind}/${model}`, tools, ...unique(), ...withUsage }
    const first = await house.chat(fields)
    const second = await house.chat(fields)
    expect([first.status, first.cache, second.status, second.cache]).toEqual([200, 'MISS', 200, 'HIT'])
    expect(first.body).toEndWith('data: [DONE]\n\n')
    expect(second.body).toBe(first.body)
    expect(headersOf(second)).toEqual(headersOf(first))
    expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
    expect(second.headers.get('age')).toBe('0')
    expect(streams()).toBe(1)
  })

  test.each([
    [asStream, asStream],
    [asStream, withUsage],
    [withUsage, asStream],
    [withUsage, withUsage],
  ])('has its usage only for those who ask for it: %j, then %j', async (one, other) => {
    for (const [path, said] of [
      ['/v1/chat/completions', unique()],
      ['/v1/completions', { prompt: `streams ${++fresh}` }],
    ] as const) {
      const ask = (how: object) => house.post(path, JSON.stringify({ model: `${kind}/echo`, ...said, ...how }))
      const [first, second] = [await ask(one), await ask(other)]
      expect([first.cache, second.cache]).toEqual(['MISS', 'HIT'])
      for (const [{ body }, how] of [
        [first, one],
        [second, other],
      ] as const) {
        const usage = usageBlockOf(body)
        expect(usage !== undefined).toBe(how === withUsage)
        if (!usage) continue
        expect(JSON.parse(usage.slice(6)).usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 })
        expect(blocksOf(body).at(-2)).toBe(usage)
      }
      expect(withoutUsage(second.body)).toBe(withoutUsage(first.body))
    }
    expect(streams()).toBe(2)
  })

  test.each(['echo', 'len', 'tail', 'unicode', 'think', 'two', 'once', 'json'])(
    '%s is the whole answer for those who want that',
    async model => {
      const fields = { model: `${kind}/${model}`, tools, response_format: { type: 'json_object' }, ...unique() }
      const streamed = await house.chat({ ...fields, ...asStream })
      const [whole, again] = [await house.chat(fields), await house.chat(fields)]
      expect([streamed.cache, whole.cache, again.cache, streams()]).toEqual(['MISS', 'HIT', 'HIT', 1])
      expect(again.body).toBe(whole.body)
      expect(whole.headers.get('content-type')).toStartWith('application/json')
      const truth = JSON.parse((await plain.chat(fields)).body)
      const { choices, usage, object, model: name } = JSON.parse(whole.body)
      expect(alike({ choices, usage, object, name })).toEqual(
        alike({ choices: truth.choices, usage: truth.usage, object: truth.object, name: truth.model }),
      )
    },
  )

  test.each(['echo', 'len', 'tail', 'unicode', 'two', 'once', 'json'])('%s can be made of a whole answer', async model => {
    const fields = { model: `${kind}/${model}`, tools, response_format: { type: 'json_object' }, ...unique() }
    const whole = await house.chat(fields)
    const streamed = await house.chat({ ...fields, ...asStream })
    const counted = await house.chat({ ...fields, ...withUsage })
    expect([whole.cache, streamed.cache, counted.cache, streams()]).toEqual(['MISS', 'HIT', 'HIT', 1])
    expect(streamed.body).toEndWith('data: [DONE]\n\n')
    expect(withoutUsage(counted.body)).toBe(streamed.body)
    const truth = await assemble((await plain.chat({ ...fields, ...withUsage })).body)
    const made = (await assemble(counted.body)) as { readonly choices: object; readonly usage: object }
    expect(alike(made.choices)).toEqual(alike((truth as typeof made).choices))
    expect(made.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 })
  })

  test.each([
    [asStream, {}],
    [{}, asStream],
  ])('of completions: %j, then %j', async (one, other) => {
    const body = { model: `${kind}/unicode`, prompt: `streams ${++fresh}` }
    const ask = (how: object) => house.post('/v1/completions', JSON.stringify({ ...body, ...how }))
    const answers = [await ask(one), await ask(other), await ask(one)]
    expect([...answers.map(({ cache }) => cache), streams()]).toEqual(['MISS', 'HIT', 'HIT', 1])
    expect(answers[2]?.body).toBe(answers[0]?.body as string)
    const texts = answers.map(({ body }) => {
      if (!body.startsWith('data:')) return JSON.parse(body).choices[0].text
      const chunks = blocksOf(body).slice(0, -1)
      return chunks.map(block => JSON.parse(block.slice(6)).choices[0]?.text ?? '').join('')
    })
    expect(texts).toEqual(['héllo 世界 🙂', 'héllo 世界 🙂', 'héllo 世界 🙂'])
  })

  test.each(['break', 'mid', 'no-done', 'boom', 'missing'])('that does not end well is not kept: %s', async model => {
    const counts: number[] = []
    const { entries } = await house.report()
    // a whole answer that does not say why it ended is one all the same
    for (const how of [asStream, withUsage, ...(model === 'no-done' ? [] : [{}])]) {
      const fields = { model: `${kind}/${model}`, ...unique(), ...how }
      const [first, second] = [await house.chat(fields), await house.chat(fields)]
      expect([first.cache, second.cache]).toEqual(['MISS', 'MISS'])
      expect(second.status).toBe(first.status)
      counts.push(up.fakes[kind].requests.length)
      if (first.status === 200 && how !== asStream) expect(second.body).not.toContain('[DONE]')
    }
    expect(counts[1]).toBe(2 * (counts[0] as number))
    expect((await house.report()).entries).toBe(entries)
  })
})

describe('two choices with logprobs', () => {
  const probability = (token: string) => ({ token, logprob: -0.1, bytes: [...Buffer.from(token)], top_logprobs: [] })
  const logprobs = (...tokens: string[]) => ({ content: tokens.map(probability), refusal: null })
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
  const events = [
    deltaEvent(0, { role: 'assistant', content: '' }),
    deltaEvent(1, { role: 'assistant', content: '' }),
    deltaEvent(1, { content: 'w' }, { logprobs: logprobs('w') }),
    deltaEvent(0, { content: 'é' }, { logprobs: logprobs('é') }),
    deltaEvent(0, { content: 'b' }, { logprobs: logprobs('b') }),
    deltaEvent(1, {}, { finish_reason: 'length' }),
    deltaEvent(0, {}, { finish_reason: 'stop' }),
    usageEvent(usage),
    'data: [DONE]\n\n',
  ].join('')
  const choice = (index: number, content: string, finish: string) => ({
    index,
    message: { role: 'assistant', content },
    logprobs: logprobs(...content),
    finish_reason: finish,
  })
  const whole = {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [choice(0, 'éb', 'stop'), choice(1, 'w', 'length')],
    usage,
  }
  const open = () => openBehind(({ stream }) => (stream ? streamed(events) : Response.json(whole)), { yaml: { cache: { mode: 'all' } } })
  const fields = { model: 'm', n: 2, logprobs: true }

  test('streamed, then whole', async () => {
    await using up = await open()
    expect(await up.house.chat({ ...fields, ...withUsage })).toMatchObject({ cache: 'MISS', body: events })
    const answer = await up.house.chat(fields)
    expect(answer.cache).toBe('HIT')
    expect(alike(JSON.parse(answer.body))).toEqual(alike(whole))
    expect(up.asked()).toBe(1)
  })

  test('whole, then streamed', async () => {
    await using up = await open()
    expect(await up.house.chat(fields)).toMatchObject({ cache: 'MISS', body: JSON.stringify(whole) })
    const answer = await up.house.chat({ ...fields, ...withUsage })
    expect(answer.cache).toBe('HIT')
    expect(alike(await assemble(answer.body))).toEqual(alike(whole))
    expect(up.asked()).toBe(1)
  })
})

const words = (count: number) => eventsOf(Array.from({ length: count }, (_, i) => `${i} `))

describe('a replay at a set pace', () => {
  const heartbeat = ': keep-alive\n\n'

  test('has one event in each piece, and takes its time; only hits are slowed down', async () => {
    const events = words(12)
    await using up = await openBehind(() => streamed(events.join('')), { yaml: { cache: { replay_rate: 50 } } })
    const first = up.house.open({ model: 'm', ...withUsage })
    expect(await first.ended).toBe('complete')
    const since = performance.now()
    const second = up.house.open({ model: 'm', ...withUsage })
    expect([await second.cache, await second.ended, second.text]).toEqual(['HIT', 'complete', events.join('')])
    expect(performance.now() - since).toBeGreaterThanOrEqual((events.length - 2) * 20)
    expect(second.pieces.map(piece => Buffer.from(piece).toString())).toSatisfy(pieces =>
      pieces.every((piece: string) => piece.endsWith('\n\n')),
    )
    expect(second.pieces.length).toBeGreaterThan(first.pieces.length)
    expect((await up.house.chat({ model: 'm' })).cache).toBe('HIT')
  })

  test('is not torn by heartbeats', async () => {
    const events = words(3)
    await using up = await openBehind(() => streamed(events.join('')), { yaml: { cache: { replay_rate: 5 }, heartbeat: '20ms' } })
    await up.house.chat({ model: 'm', ...withUsage })
    const { body } = await up.house.chat({ model: 'm', ...withUsage })
    const blocks = blocksOf(body)
    expect(blocks.filter(block => block === heartbeat).length).toBeGreaterThan(3)
    expect(blocks.filter(block => block !== heartbeat)).toEqual([...events])
  })

  test('ends when its client leaves', async () => {
    await using up = await openBehind(() => streamed(words(50).join('')), { yaml: { cache: { replay_rate: 1 } } })
    await up.house.chat({ model: 'm', ...asStream })
    const client = up.house.open({ model: 'm', ...asStream })
    await client.until(1)
    expect(up.house.serving.gateway.exchanges.list()).toHaveLength(1)
    client.leave()
    expect(await client.ended).toBe('left')
    await eventually(() => up.house.serving.gateway.exchanges.list().length === 0, 'the request is over')
  })
})

describe('a stream that is too long to be kept', () => {
  /** Less than a stream of a megabyte needs. */
  const small = { max_bytes: '1MB' }

  test('arrives whole all the same, each time anew', async () => {
    await using narrow = await openCachingHouse({ yaml: { ...up.yaml, cache: small } })
    for (const kind of kinds) {
      const fields = { model: `${kind}/big`, ...asStream }
      const answers = [await narrow.chat(fields), await narrow.chat(fields)]
      for (const { status, cache, body } of answers) {
        expect([status, cache]).toEqual([200, 'MISS'])
        expect(await assemble(body)).toMatchObject({ choices: [{ message: { content: 'b'.repeat(1024 * 1024) } }] })
      }
    }
    expect(await narrow.report()).toMatchObject({ entries: 0, bytes: 0 })
  })

  test('also to two who ask at once, and when it comes in one piece', async () => {
    const events = eventsOf(['c'.repeat(3e6), 'a', 'b'])
    await using up = await openBehind(() => streamed(events.join('')), { yaml: { cache: small } })
    const answers = await Promise.all([1, 2, 3].map(() => up.house.chat({ model: 'm', ...withUsage })))
    for (const { body } of answers) expect(body === events.join('')).toBe(true)
    expect(await up.house.report()).toMatchObject({ entries: 0, bytes: 0 })
  })
})

test('a stream that was not read to its end is not kept', async () => {
  const { vllm } = up.fakes
  const fields = { model: 'vllm/hold-mid', ...unique(), ...asStream }
  const client = house.open(fields)
  await client.until(100)
  client.leave()
  await vllm.until(() => vllm.streams[0]?.ended === 'client-left', 'the upstream is let go')
  const again = house.open(fields)
  await again.until(100)
  vllm.release()
  expect([await again.cache, await again.ended]).toEqual(['MISS', 'complete'])
  expect((await house.chat(fields)).cache).toBe('HIT')
})

test('one who joins hears which fields were ignored too, in any form', async () => {
  const { ollama } = up.fakes
  const fields = { model: 'ollama/hold', store: true, ...unique() }
  const clients = [asStream, {}, withUsage].map(how => house.open({ ...fields, ...how }))
  await eventually(() => house.serving.gateway.exchanges.list().length === 3, 'they are there')
  await ollama.until(() => ollama.streams.length === 1, 'one is at the upstream')
  ollama.release()
  const answers = await Promise.all(clients.map(({ response }) => response))
  expect(answers.map(({ headers }) => headers.get('x-gatehouse-ignored'))).toEqual(['store', 'store', 'store'])
  expect(answers.map(({ headers }) => headers.get('content-type')?.split(';')[0])).toEqual([
    'text/event-stream',
    'application/json',
    'text/event-stream',
  ])
  await Promise.all(clients.map(({ ended }) => ended))
})
