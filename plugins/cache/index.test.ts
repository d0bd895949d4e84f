import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { fakeOllama } from '../../core/testing/fake-ollama.ts'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { httpAnswer, rawUpstream } from '../../core/testing/raw-upstream.ts'
import { type CachingHouse, openCachingHouse, pipelineWith } from './testing/house.ts'

let ollama: FakeServer
let openai: FakeServer
let house: CachingHouse

beforeAll(async () => {
  ;[ollama, openai] = await Promise.all([fakeOllama(), fakeOpenai({ models: ['listed'] })])
  house = await openCachingHouse({ yaml })
})
beforeEach(() => ollama.clear())
afterAll(async () => {
  await house.stop()
  await Promise.all([ollama.stop(), openai.stop()])
})

const yaml = {
  get backends() {
    return { home: { type: 'ollama', base_url: ollama.url }, ai: { type: 'openai-compatible', base_url: openai.url } }
  },
  models: [
    { name: 'gpt', aliases: ['gpt-too'], targets: [{ backend: 'ai', model: 'echo' }] },
    { name: 'shorter', targets: [{ backend: 'ai', model: 'echo', set: { max_tokens: 5 } }] },
    {
      name: 'over-boom',
      targets: [
        { backend: 'ai', model: 'boom' },
        { backend: 'home', model: 'echo' },
      ],
    },
    { name: 'down-once', targets: [{ backend: 'ai', model: 'down-once' }] },
  ],
  default_backend: 'home',
  router: { retries: 0 },
}
const asked = () => ollama.requests.filter(({ path }) => path === '/api/chat').length
let fresh = 0
/** A message that no test has sent before. */
const unique = () => ({ messages: [{ role: 'user', content: `hi ${++fresh}` }] })

describe('the same request again (A58)', () => {
  test('is answered with the same bytes, the upstream is asked once, and nothing is charged', async () => {
    const fields = { ...unique(), temperature: 0 }
    const first = await house.chat(fields)
    const second = await house.chat(fields)
    expect([first.cache, second.cache]).toEqual(['MISS', 'HIT'])
    expect(second.body).toBe(first.body)
    expect([second.status, second.headers.get('content-type')]).toEqual([200, first.headers.get('content-type')])
    expect(second.headers.get('age')).toBe('0')
    expect(first.headers.get('age')).toBeNull()
    expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
    expect(asked()).toBe(1)
  })

  test('also by the default policy, in another spelling, and whoever it is for', async () => {
    const { messages } = unique()
    const text = JSON.stringify(messages)
    expect((await house.post('/v1/chat/completions', `{"model":"echo","messages":${text},"max_tokens":5}`)).cache).toBe('MISS')
    const again = `{ "max_tokens": 5.0, "user": "bob", "stream": false, "messages": ${text},\n"metadata": {"a": "b"}, "model": "echo" }`
    expect((await house.post('/v1/chat/completions/', again)).cache).toBe('HIT')
  })

  test('for completions and embeddings too', async () => {
    for (const [path, fields] of [
      ['/v1/completions', { prompt: 'x' }],
      ['/v1/embeddings', { input: ['x', 'y'] }],
      ['/v1/embeddings', { input: ['x', 'y'], encoding_format: 'base64' }],
    ] as const) {
      const body = JSON.stringify({ model: 'gpt', ...fields })
      const [first, second] = [await house.post(path, body), await house.post(path, body)]
      expect([first.status, first.cache, second.cache]).toEqual([200, 'MISS', 'HIT'])
      expect(second.body).toBe(first.body)
    }
  })

  test('charges nothing', async () => {
    const meter = `
      import { definePlugin } from 'gatehouse'
      export default definePlugin({ name: 'meter', setup: (_, { log }) => ({
        handle(ctx, next) {
          ctx.onSettled(() => log.info({ usage: { ...ctx.usage } }, 'metered'))
          return next()
        },
      }) })`
    await using metered = await openCachingHouse({
      yaml: { ...yaml, pipeline: pipelineWith({ above: ['./meter.ts'] }) },
      files: { 'meter.ts': meter },
    })
    await metered.chat()
    await metered.chat()
    expect(metered.lines.filter(({ message }) => message === 'metered').map(({ usage }) => usage)).toEqual([
      { promptTokens: 11, completionTokens: 7 },
      { promptTokens: 0, completionTokens: 0 },
    ])
  })

  test('twenty at once reach the upstream once, and leave one answer behind', async () => {
    const fields = unique()
    const all = await Promise.all(Array.from({ length: 20 }, () => house.chat(fields)))
    expect(all.every(({ status }) => status === 200)).toBe(true)
    expect(asked()).toBe(1)
    const [one, two] = [await house.chat(fields), await house.chat(fields)]
    expect([one.cache, two.cache]).toEqual(['HIT', 'HIT'])
    expect(all.map(({ body }) => body)).toContain(one.body)
    expect(two.body).toBe(one.body)
  })
})

describe('a request that differs (A59)', () => {
  test.each([
    ['message', { messages: [{ role: 'user', content: 'hello' }] }],
    ['role', { messages: [{ role: 'system', content: 'hi' }] }],
    ['model', { model: 'llama3.2:3b' }],
    ['temperature', { temperature: 0 }],
    ['max_tokens', { max_tokens: 5 }],
    ['top_p', { top_p: 0.5 }],
    ['seed', { seed: 1 }],
    ['stop', { stop: ['x'] }],
    ['response_format', { response_format: { type: 'json_object' } }],
    ['tools', { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }] }],
    ['a field nobody knows', { keep_alive: '5m' }],
  ])('in its %s asks the upstream', async (_, fields) => {
    await house.chat()
    const before = asked()
    const answer = await house.chat(fields)
    expect([answer.status, answer.cache, asked()]).toEqual([200, 'MISS', before + 1])
  })

  test('in what a name means', async () => {
    const fields = unique()
    const names = ['gpt', 'gpt-too', 'shorter', 'echo']
    const answers = []
    for (const model of names) answers.push(await house.chat({ ...fields, model }))
    expect(answers.map(({ cache }) => cache)).toEqual(['MISS', 'MISS', 'MISS', 'MISS'])
    expect(answers.map(({ body }) => JSON.parse(body).model)).toEqual(names)
  })

  test.each(['openai-beta', 'anthropic-beta', 'anthropic-version'])('in the header %s, which the upstream gets', async name => {
    const fields = { ...unique(), model: 'gpt' }
    const answers = [await house.chat(fields), await house.chat(fields, { [name]: 'x' }), await house.chat(fields, { [name]: 'x' })]
    expect(answers.map(({ cache }) => cache)).toEqual(['MISS', 'MISS', 'HIT'])
    expect(openai.requests.at(-1)?.headers[name]).toBe('x')
  })
})

describe('what is never kept', () => {
  const twice = async (fields: object) => [await house.chat(fields), await house.chat(fields)] as const

  test.each(['boom', 'missing', 'notools'])('an error (A61): %s', async model => {
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }]
    const answers = await twice({ ...unique(), model, tools })
    expect(answers.map(({ status }) => status >= 400)).toEqual([true, true])
    expect(asked()).toBe(2)
  })

  test('an error, and the answer after it is', async () => {
    const fields = { ...unique(), model: 'down-once' }
    const answers = [await house.chat(fields), await house.chat(fields), await house.chat(fields)]
    expect(answers.map(({ status, cache }) => [status, cache])).toEqual([
      [503, 'MISS'],
      [200, 'MISS'],
      [200, 'HIT'],
    ])
  })

  test('the answer of a fallback', async () => {
    const answers = await twice({ ...unique(), model: 'over-boom' })
    expect(answers.map(({ status, cache }) => [status, cache])).toEqual([
      [200, 'MISS'],
      [200, 'MISS'],
    ])
    expect(asked()).toBe(2)
  })

  test('one that a layer below keeps out, such as one a tool had a hand in', async () => {
    const tool = `
      import { definePlugin } from 'gatehouse'
      export default definePlugin({ name: 'tool', setup: () => ({
        async handle(ctx, next) {
          const response = await next()
          if (ctx.payload.messages[0].content === 'tool') ctx.keepOut('tool')
          return response
        },
      }) })`
    await using tooled = await openCachingHouse({
      yaml: { ...yaml, pipeline: pipelineWith({ below: ['./tool.ts'] }) },
      files: { 'tool.ts': tool },
    })
    const ask = async (content: string) => (await tooled.chat({ messages: [{ role: 'user', content }] })).cache
    expect([await ask('tool'), await ask('tool'), await ask('none'), await ask('none')]).toEqual(['MISS', 'MISS', 'MISS', 'HIT'])
  })

  test('one that its client did not wait for', async () => {
    const body = JSON.stringify({ model: 'hold', ...unique() })
    const leaving = new AbortController()
    const left = fetch(`${house.url}/v1/chat/completions`, { method: 'POST', body, signal: leaving.signal }).catch(() => 'left')
    await ollama.until(() => asked() === 1, 'the request is there')
    leaving.abort()
    expect(await left).toBe('left')
    await ollama.until(() => ollama.streams[0]?.ended === 'client-left', 'the upstream is let go')
    const again = house.post('/v1/chat/completions', body)
    await ollama.until(() => asked() === 2, 'the request is there again')
    ollama.release()
    expect((await again).cache).toBe('MISS')
  })

  test('one of a kind the cache knows nothing of: it says nothing', async () => {
    for (const [path, fields] of [
      ['/v1/audio/speech', { input: 'x', voice: 'alloy' }],
      ['/v1/images/generations', { prompt: 'x' }],
      ['/v1/responses', { input: 'x' }],
    ] as const) {
      const answer = await house.post(path, JSON.stringify({ model: 'gpt', ...fields }))
      expect([answer.status, answer.cache]).toEqual([200, null])
    }
  })

  test.each<[string, string, string]>([
    [
      'cut off on its way',
      '200 OK',
      '{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}      ',
    ],
    ['an error in a 200', '200 OK', '{"error":{"message":"out of memory"}}'],
    [
      'broken off at the server',
      '200 OK',
      '{"choices":[{"index":0,"message":{"role":"assistant","content":"h"},"finish_reason":"abort"}]}',
    ],
    [
      'another success',
      '203 Non-Authoritative',
      '{"choices":[{"index":0,"message":{"role":"assistant","content":"h"},"finish_reason":"stop"}]}',
    ],
  ])('one that is %s', async (what, status, body) => {
    const length = String(body.length + (what.startsWith('cut') ? 100 : 0))
    const up = await rawUpstream(socket =>
      socket.end(httpAnswer(status, { 'content-type': 'application/json', 'content-length': length }, body)),
    )
    await using behind = await openCachingHouse({
      yaml: { backends: { up: { type: 'openai-compatible', base_url: up.url } }, router: { retries: 0 } },
    })
    for (const path of ['/v1/chat/completions', '/v1/embeddings']) {
      const before = up.requests()
      for (let i = 0; i < 2; i++) {
        expect(
          (await behind.post(path, JSON.stringify({ model: 'm', input: 'x', messages: [{ role: 'user', content: 'x' }] }))).cache,
        ).toBe('MISS')
      }
      expect(up.requests()).toBe(before + 2)
    }
    await up.stop()
  })

  test('one to a request that names a field twice: servers differ in which they believe', async () => {
    const ask = (first: string, last: string) =>
      house.post(
        '/v1/chat/completions',
        `{"model":"gpt","messages":[{"role":"user","content":"${first}"}],"messages":[{"role":"user","content":"${last}"}]}`,
      )
    expect([(await ask('a', 'twins')).cache, (await ask('a', 'twins')).cache]).toEqual(['MISS', 'MISS'])
    expect((await house.chat({ model: 'gpt', messages: [{ role: 'user', content: 'twins' }] })).cache).toBe('MISS')
  })
})

test('an answer that ends with `length` is whole: that is what was asked for', async () => {
  const fields = { ...unique(), model: 'len' }
  const [first, second] = [await house.chat(fields), await house.chat(fields)]
  expect(JSON.parse(first.body).choices[0].finish_reason).toBe('length')
  expect([first.cache, second.cache]).toEqual(['MISS', 'HIT'])
})

describe('a request that asks for variety passes by', () => {
  test.each<[object, string]>([
    [{ temperature: 0.7 }, 'BYPASS'],
    [{ temperature: 0.7, seed: null }, 'BYPASS'],
    [{ temperature: 0.7, seed: 0 }, 'HIT'],
    [{ temperature: 0 }, 'HIT'],
    [{ temperature: null }, 'HIT'],
    [{ n: 1 }, 'HIT'],
    [{ n: 3, temperature: 0, seed: 1 }, 'BYPASS'],
    [{ top_p: 0.9 }, 'HIT'],
  ])('%j: %s', async (fields, expected) => {
    const same = { ...unique(), model: 'gpt', ...fields }
    const answers = [await house.chat(same), await house.chat(same)]
    expect(answers.map(({ status, cache }) => [status, cache])).toEqual([
      [200, expected === 'HIT' ? 'MISS' : 'BYPASS'],
      [200, expected],
    ])
  })

  test('unless the mode is `all`', async () => {
    await using all = await openCachingHouse({ yaml: { ...yaml, cache: { mode: 'all' } } })
    for (const fields of [{ temperature: 0.7 }, { n: 3 }]) {
      expect((await all.chat({ model: 'gpt', ...fields })).cache).toBe('MISS')
      expect((await all.chat({ model: 'gpt', ...fields })).cache).toBe('HIT')
    }
  })
})

describe('a message that names a resource passes by', () => {
  test.each([
    ['in a text', [{ role: 'user', content: 'read mcp://files/a.txt' }]],
    ['in a part', [{ role: 'user', content: [{ type: 'text', text: 'mcp://files/a.txt' }] }]],
    [
      'in an earlier answer',
      [
        { role: 'assistant', content: 'mcp://files/a.txt' },
        { role: 'user', content: 'go on' },
      ],
    ],
  ])('%s', async (_, messages) => {
    expect([(await house.chat({ messages })).cache, (await house.chat({ messages })).cache]).toEqual(['BYPASS', 'BYPASS'])
  })
})

describe('Cache-Control of the request', () => {
  test('no-cache asks the upstream again and keeps its answer (A62)', async () => {
    const fields = unique()
    const first = await house.chat(fields)
    const forced = await house.chat(fields, { 'cache-control': 'no-cache' })
    const after = await house.chat(fields)
    expect([first.cache, forced.cache, after.cache]).toEqual(['MISS', 'BYPASS', 'HIT'])
    expect(forced.body).not.toBe(first.body)
    expect(after.body).toBe(forced.body)
    expect(asked()).toBe(2)
  })

  test('no-store neither takes nor keeps', async () => {
    const fields = unique()
    const unkept = await house.chat(fields, { 'cache-control': 'no-store' })
    const kept = await house.chat(fields)
    const unread = await house.chat(fields, { 'cache-control': 'max-age=100, no-store' })
    expect([unkept.cache, kept.cache, unread.cache, (await house.chat(fields)).cache]).toEqual(['BYPASS', 'MISS', 'BYPASS', 'HIT'])
    expect((await house.chat(fields)).body).toBe(kept.body)
    expect(asked()).toBe(3)
  })

  test('max-age=0 takes nothing that is kept; a longer one and nonsense change nothing', async () => {
    const fields = unique()
    await house.chat(fields)
    const seen = []
    for (const value of ['max-age=60', 'max-age=0', 'max-age=soon', 'only-if-cached']) {
      seen.push((await house.chat(fields, { 'cache-control': value })).cache)
    }
    expect(seen).toEqual(['HIT', 'MISS', 'HIT', 'HIT'])
  })
})

describe('who asks', () => {
  /** Managed keys come with a later release; this stands in for the part of `auth` that will know them. */
  const keys = `
    import { definePlugin } from 'gatehouse'
    export default definePlugin({ name: 'keys', setup: () => ({
      handle(ctx, next) {
        const key = ctx.request.headers.get('x-managed')
        if (key) ctx.principal = { id: key, kind: 'key' }
        return next()
      },
    }) })`

  test('managed keys have answers of their own, all others share theirs', async () => {
    await using keyed = await openCachingHouse({
      yaml: { ...yaml, api_key: 'test-key', admin: { api_key: 'test-admin-key' }, pipeline: pipelineWith({ above: ['./keys.ts'] }) },
      files: { 'keys.ts': keys },
    })
    const ask = async (headers: Record<string, string>) => (await keyed.chat({}, { 'x-api-key': 'test-key', ...headers })).cache
    expect([await ask({}), await ask({}), await ask({ 'x-api-key': 'test-admin-key' })]).toEqual(['MISS', 'HIT', 'HIT'])
    expect([await ask({ 'x-managed': '1' }), await ask({ 'x-managed': '1' }), await ask({ 'x-managed': '2' })]).toEqual([
      'MISS',
      'HIT',
      'MISS',
    ])
  })
})

describe('the layers below', () => {
  const card = (delay: string) => `
    import { definePlugin } from 'gatehouse'
    const of = ctx => ctx.request.headers.get('x-card') ?? ''
    export default definePlugin({ name: 'card', setup: () => ({
      fingerprint: ${delay} ctx => of(ctx),
      handle(ctx, next) {
        if (of(ctx)) ctx.rewrite({ messages: [{ role: 'system', content: of(ctx) }, ...ctx.payload.messages] })
        return next()
      },
    }) })`

  test.each([
    ['at once', ''],
    ['later', 'async'],
  ])('are part of the key, said %s', async (_, delay) => {
    await using carded = await openCachingHouse({
      yaml: { ...yaml, pipeline: pipelineWith({ below: ['./card.ts'] }) },
      files: { 'card.ts': card(delay) },
    })
    const ask = async (text: string) => (await carded.chat({}, text ? { 'x-card': text } : {})).cache
    expect([await ask(''), await ask('a'), await ask('b'), await ask(''), await ask('a')]).toEqual(['MISS', 'MISS', 'MISS', 'HIT', 'HIT'])
  })

  test('a layer above that changes the request, or its model, changes the key', async () => {
    const rename = `
      import { definePlugin } from 'gatehouse'
      export default definePlugin({ name: 'rename', setup: () => ({
        handle(ctx, next) {
          const model = ctx.request.headers.get('x-model')
          if (model) ctx.rewrite({ model })
          return next()
        },
      }) })`
    await using renaming = await openCachingHouse({
      yaml: { ...yaml, pipeline: pipelineWith({ above: ['./rename.ts'] }) },
      files: { 'rename.ts': rename },
    })
    expect((await renaming.chat()).cache).toBe('MISS')
    const renamed = await renaming.chat({}, { 'x-model': 'gpt' })
    expect([renamed.cache, JSON.parse(renamed.body).model]).toEqual(['MISS', 'gpt'])
    expect((await renaming.chat({ model: 'gpt' })).cache).toBe('HIT')
    expect(await renaming.chat({}, { 'x-model': '' })).toMatchObject({ cache: 'HIT' })
  })
})

test('a model that does not exist is not the business of the cache', async () => {
  await using strict = await openCachingHouse({ yaml: { ...yaml, default_backend: undefined } })
  expect(await strict.chat({ model: 'nobody' })).toMatchObject({ status: 404, cache: null })
})

describe('a reload', () => {
  test('hands over what is kept', async () => {
    await using reloaded = await openCachingHouse({ yaml })
    const first = await reloaded.chat()
    await reloaded.reload({ ...yaml, pipeline: pipelineWith(), cache: { ttl: '2h' }, timeouts: { queue: '1s' } })
    expect(await reloaded.chat()).toMatchObject({ cache: 'HIT', body: first.body })
  })

  test('that makes it smaller counts for what is kept; one that turns it off empties it', async () => {
    const settings = { ...yaml, pipeline: pipelineWith() }
    await using reloaded = await openCachingHouse({ yaml })
    const ask = async (seed: number) => (await reloaded.chat({ seed })).cache
    for (const seed of [1, 2, 3]) await ask(seed)
    await reloaded.reload({ ...settings, cache: { max_entries: 2 } })
    expect([await ask(3), await ask(2), await ask(1)]).toEqual(['HIT', 'HIT', 'MISS'])
    await reloaded.reload({ ...settings, cache: { enabled: false } })
    expect([await ask(1), await ask(1)]).toEqual([null, null])
    await reloaded.reload({ ...settings, cache: {} })
    expect([await ask(1), await ask(1)]).toEqual(['MISS', 'HIT'])
    await reloaded.reload({ ...settings, cache: { ttl: '1ns' } })
    await Bun.sleep(2)
    expect(await ask(1)).toBe('MISS')
  })

  test('that is refused changes nothing', async () => {
    await using reloaded = await openCachingHouse({ yaml })
    await reloaded.chat()
    const broken = { ...yaml, pipeline: pipelineWith(), cache: { enabled: false }, default_backend: 'nobody' }
    await expect(reloaded.reload(broken)).rejects.toThrow('nobody')
    expect((await reloaded.chat()).cache).toBe('HIT')
  })

  test('that sends a model elsewhere, or tells a plugin something else, leaves its answers behind', async () => {
    const noop = `
      import { definePlugin } from 'gatehouse'
      export default definePlugin({ name: 'noop', setup: () => ({}) })`
    const settings = { ...yaml, pipeline: pipelineWith({ below: ['./noop.ts'] }), cache: {} }
    await using reloaded = await openCachingHouse({ yaml: settings, files: { 'noop.ts': noop } })
    const ask = async (model = 'echo') => (await reloaded.chat({ model })).cache
    expect([await ask(), await ask('gpt')]).toEqual(['MISS', 'MISS'])
    await reloaded.reload({
      ...settings,
      backends: { ...yaml.backends, ai: { type: 'openai-compatible', base_url: openai.url, headers: { a: 'b' } } },
    })
    expect([await ask(), await ask('gpt')]).toEqual(['HIT', 'MISS'])
    await reloaded.reload({ ...settings, noop: { mood: 'dark' } })
    expect(await ask()).toBe('MISS')
  })
})

test('the log says what was found, and what was not', async () => {
  await using logged = await openCachingHouse({ yaml })
  await logged.chat()
  await logged.chat({}, { 'x-request-id': 'second' })
  const found = logged.lines.filter(({ message }) => /^Cache/.test(String(message)))
  expect(found).toMatchObject([
    { level: 'debug', message: 'Cache miss', model: 'echo' },
    { level: 'info', message: 'Cache hit', model: 'echo', age: 0, request_id: 'second' },
  ])
  const decisions = logged.lines.flatMap(({ decision }) => (decision ? [decision] : []))
  expect(decisions).toEqual([
    { plugin: 'cache', did: 'miss' },
    { plugin: 'cache', did: 'hit', why: '0 s old' },
  ])
})

test('switched off it adds nothing', async () => {
  await using off = await openCachingHouse({ yaml: { ...yaml, cache: { enabled: false } } })
  expect([(await off.chat()).cache, (await off.chat()).cache]).toEqual([null, null])
  expect(asked()).toBe(2)
})

test('a hit tells which fields the backend leaves out, as far as it has them', async () => {
  const fields = unique()
  const first = await house.chat({ ...fields, user: 'bob', parallel_tool_calls: true })
  const second = await house.chat({ ...fields, parallel_tool_calls: true })
  expect([first.cache, second.cache]).toEqual(['MISS', 'HIT'])
  expect(first.headers.get('x-gatehouse-ignored')?.split(', ').toSorted()).toEqual(['parallel_tool_calls', 'user'])
  expect(second.headers.get('x-gatehouse-ignored')).toBe('parallel_tool_calls')
})

test('a large body is hashed in a thread, and kept as any other', async () => {
  const fields = { messages: [{ role: 'user', content: `${++fresh} ${'long '.repeat(200_000)}` }] }
  const [first, second] = [await house.chat(fields), await house.chat(fields)]
  expect([first.status, first.cache, second.cache]).toEqual([200, 'MISS', 'HIT'])
  expect(second.body).toBe(first.body)
})
