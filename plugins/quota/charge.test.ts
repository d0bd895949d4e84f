import { describe, expect, test } from 'bun:test'
import { fakeOllama } from '../../core/testing/fake-ollama.ts'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { fakeVllm } from '../../core/testing/fake-vllm.ts'
import { allSettled, balanceOf, chatWith, comesTrue, openCounting, postWith } from '../../core/testing/keyed.ts'
import { makeKey } from '../../core/testing/managed-key.ts'
import { type House, openHouse } from '../../core/testing/open-house.ts'
import { chatChunk, done, eventsResponse, scriptedUpstream } from '../../core/testing/scripted-upstream.ts'

const at = (url: string, type = 'openai-compatible', more: object = {}) => ({
  backends: { up: { type, base_url: url } },
  default_backend: 'up',
  router: { retries: 0 },
  ...more,
})
const messages = [{ role: 'user', content: 'hi' }]
const message = (content: string, more: object = {}) => ({
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  ...more,
})
const usageOf = (prompt: number, completion: number) => ({
  usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
})
const story = 'Once upon a time there was a gateway that counted every word which went through it. '.repeat(20) // 340 tokens

/** What the reports of all keys come to. */
async function reported(house: House, by: 'model' | 'user' | 'day' = 'day') {
  const { usage, records } = house.serving.gateway
  await usage.flush()
  return records.usage.query({ from: '2020-01-01', to: '2100-01-01', by: [by] })
}

describe('what the backend reports is charged, in every dialect', () => {
  const cases: readonly [string, string, object][] = [
    ['chat', '/v1/chat/completions', { messages }],
    ['a streamed chat', '/v1/chat/completions', { messages, stream: true }],
    [
      'a chat with tools',
      '/v1/chat/completions',
      { model: 'once', messages, tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }] },
    ],
    ['completions', '/v1/completions', { prompt: 'hi' }],
    ['messages', '/v1/messages', { messages, max_tokens: 5 }],
    ['streamed messages', '/v1/messages', { messages, max_tokens: 5, stream: true }],
    ['responses', '/v1/responses', { input: 'hi' }],
    ['streamed responses', '/v1/responses', { input: 'hi', stream: true }],
  ]
  test.each(cases)('%s', async (_name, path, body) => {
    await using upstream = await fakeVllm({})
    await using house = await openHouse({ yaml: at(upstream.url, 'vllm') })
    const key = await makeKey(house, { quota: 1_000_000 })
    const response = await postWith(house, key, path, { model: 'echo', ...body })
    expect(response.status).toBe(200)
    await response.text()
    expect(await balanceOf(house, key)).toMatchObject({ used: 18, reserved: 0 })
    expect(await reported(house)).toMatchObject([{ requests: 1, errors: 0, promptTokens: 11, completionTokens: 7 }])
  })

  test('embeddings and rankings, which have no answer in tokens', async () => {
    await using upstream = await fakeVllm({})
    await using house = await openHouse({ yaml: at(upstream.url, 'vllm') })
    const key = await makeKey(house, { quota: 1_000_000 })
    await (await postWith(house, key, '/v1/embeddings', { model: 'echo', input: ['one', 'two'] })).text()
    const { used } = await balanceOf(house, key)
    expect(used).toBeGreaterThan(0)
    expect(await reported(house)).toMatchObject([{ promptTokens: used, completionTokens: 0 }])
    await (await postWith(house, key, '/v1/rerank', { model: 'echo', query: 'q', documents: ['a', 'b'] })).text()
    expect((await balanceOf(house, key)).used).toBeGreaterThan(used)
  })

  test('Ollama, which speaks otherwise', async () => {
    await using upstream = await fakeOllama({})
    await using house = await openHouse({ yaml: at(upstream.url, 'ollama') })
    const key = await makeKey(house, { quota: 1_000_000 })
    for (const stream of [false, true]) await (await chatWith(house, key, { stream })).text()
    expect(await balanceOf(house, key)).toMatchObject({ used: 36, reserved: 0 })
  })

  test('a call that only counts costs nothing, and is free for a key that has nothing left', async () => {
    await using upstream = await fakeVllm({})
    await using house = await openHouse({ yaml: at(upstream.url, 'vllm') })
    const key = await makeKey(house, { quota: 0 })
    const response = await postWith(house, key, '/v1/messages/count_tokens', { model: 'echo', messages })
    expect([response.status, await response.json()]).toEqual([200, { input_tokens: 11 }])
    expect(await balanceOf(house, key)).toMatchObject({ used: 0, reserved: 0 })
  })

  test('pictures and sound: a form arrives as it was sent, and what is reported is charged', async () => {
    await using upstream = await scriptedUpstream(({ path }) =>
      path.endsWith('/speech')
        ? new Response(Buffer.alloc(300_000, '\n\n'), { headers: { 'content-type': 'audio/mpeg' } })
        : Response.json(
            path.endsWith('/transcriptions')
              ? { text: 'hello', usage: { type: 'tokens', input_tokens: 14, output_tokens: 3, total_tokens: 17 } }
              : { created: 1, data: [] },
          ),
    )
    await using house = await openCounting({ yaml: at(upstream.url) })
    const key = await makeKey(house, { quota: 1_000_000, tokensPerMinute: 100_000 })
    const form = new FormData()
    form.set('model', 'whisper')
    form.set('file', new Blob([new Uint8Array(5000)]), 'a.wav')
    const heard = await fetch(`${house.url}/v1/audio/transcriptions`, { method: 'POST', headers: key.headers, body: form })
    expect(await heard.json()).toMatchObject({ text: 'hello' })
    expect(await balanceOf(house, key)).toMatchObject({ used: 17, reserved: 0 })
    // nobody reports the tokens of these: the text is paid, and bytes that look like the ends of events are no tokens
    const said = await postWith(house, key, '/v1/audio/speech', { model: 'voice', input: 'hello there', voice: 'a' })
    expect((await said.bytes()).length).toBe(300_000)
    const speech = (await allSettled(house, key)).used - 17
    expect(speech).toBeWithin(2, 10)
    await (await postWith(house, key, '/v1/images/generations', { model: 'painter', prompt: 'a gateway' })).text()
    expect((await allSettled(house, key)).used - 17 - speech).toBeWithin(2, 10)
  })
})

describe('what nobody reports is estimated', () => {
  test('the text of a whole answer', async () => {
    await using upstream = await scriptedUpstream(() => Response.json(message(story)))
    await using house = await openCounting({ yaml: at(upstream.url) })
    const key = await makeKey(house, { quota: 1_000_000 })
    expect(await (await chatWith(house, key)).json()).toMatchObject(message(story))
    expect((await balanceOf(house, key)).used).toBeWithin(300, 500)
  })

  test.each<[string, string, object]>([
    [
      'tool calls',
      '/v1/chat/completions',
      message('', {
        choices: [
          {
            index: 0,
            message: {
              role: 'assistant',
              content: null,
              tool_calls: [{ id: 'c', type: 'function', function: { name: 'tell', arguments: JSON.stringify({ story }) } }],
            },
            finish_reason: 'tool_calls',
          },
        ],
      }),
    ],
    [
      'thoughts',
      '/v1/chat/completions',
      message('', {
        choices: [{ index: 0, message: { role: 'assistant', content: 'x', reasoning_content: story }, finish_reason: 'stop' }],
      }),
    ],
    ['completions', '/v1/completions', { choices: [{ index: 0, text: story, finish_reason: 'stop' }] }],
    ['messages', '/v1/messages', { type: 'message', role: 'assistant', content: [{ type: 'text', text: story }] }],
    ['responses', '/v1/responses', { object: 'response', output: [{ type: 'message', content: [{ type: 'output_text', text: story }] }] }],
    ['infill', '/infill', { content: story, stop: true }],
  ])('of %s', async (_name, path, answer) => {
    await using upstream = await scriptedUpstream(() => Response.json(answer))
    await using house = await openCounting({ yaml: at(upstream.url, 'llamacpp') })
    const key = await makeKey(house, { quota: 1_000_000 })
    await (
      await postWith(house, key, path, { model: 'm', messages, prompt: 'hi', input: 'hi', input_prefix: 'hi', input_suffix: '' })
    ).text()
    expect((await balanceOf(house, key)).used).toBeWithin(300, 600)
  })

  test('the prompt, when only the answer is reported', async () => {
    await using upstream = await scriptedUpstream(() =>
      Response.json(message('hi', { usage: { prompt_tokens: 0, completion_tokens: 4, total_tokens: 4 } })),
    )
    await using house = await openCounting({ yaml: at(upstream.url) })
    const key = await makeKey(house, { quota: 1_000_000 })
    await (await chatWith(house, key, { messages: [{ role: 'user', content: story }] })).text()
    expect((await balanceOf(house, key)).used).toBeWithin(304, 504)
  })

  test('a stream, by its events', async () => {
    const words = Array.from({ length: 50 }, (_, at) => chatChunk({ content: `w${at} ` }))
    await using upstream = await scriptedUpstream(() =>
      eventsResponse(chatChunk({ role: 'assistant', content: '' }), ...words, chatChunk({}, 'stop'), done),
    )
    await using house = await openCounting({ yaml: at(upstream.url) })
    const key = await makeKey(house, { quota: 1_000_000 })
    await (await chatWith(house, key, { stream: true })).text()
    expect((await balanceOf(house, key)).used).toBeWithin(50 + 2, 50 + 25)
  })
})

describe('whoever leaves', () => {
  test('a stream in the middle pays for the prompt and what was sent', async () => {
    const words = Array.from({ length: 40 }, (_, at) => chatChunk({ content: `w${at} ` }))
    const forever = new Promise(() => {})
    await using upstream = await scriptedUpstream(() => eventsResponse(chatChunk({ role: 'assistant', content: '' }), ...words, forever))
    await using house = await openCounting({ yaml: at(upstream.url) })
    const key = await makeKey(house, { quota: 1_000_000 })
    const response = await chatWith(house, key, { stream: true })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    for (let text = ''; !text.includes('w39 '); ) text += new TextDecoder().decode((await reader.read()).value)
    await reader.cancel()
    expect((await allSettled(house, key)).used).toBeWithin(40 + 2, 40 + 25)
  })

  // a server that sends many tokens at once, and a client that leaves before the report, would else pay for an event
  test('pays for the text in events that hold much of it', async () => {
    const forever = new Promise(() => {})
    await using upstream = await scriptedUpstream(() =>
      eventsResponse(chatChunk({ role: 'assistant', content: '' }), chatChunk({ content: story }), chatChunk({ content: story }), forever),
    )
    await using house = await openCounting({ yaml: at(upstream.url) })
    const key = await makeKey(house, { quota: 1_000_000 })
    const response = await chatWith(house, key, { stream: true })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    for (let text = ''; text.split('Once').length < 41; ) text += new TextDecoder().decode((await reader.read()).value)
    await reader.cancel()
    expect((await allSettled(house, key)).used).toBeWithin(600, 1100)
  })

  test('a whole answer before it is there pays for the prompt', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openCounting({ yaml: at(upstream.url) })
    const key = await makeKey(house, { quota: 1_000_000 })
    const leaving = new AbortController()
    const response = chatWith(house, key, { model: 'hold', messages: [{ role: 'user', content: story }] }, leaving.signal)
    await upstream.until(() => upstream.requests.length === 1, 'the request is there')
    leaving.abort()
    await response.catch(() => {})
    expect((await allSettled(house, key)).used).toBeWithin(300, 500)
    await upstream.until(() => upstream.streams[0]?.ended === 'client-left', 'the upstream is closed')
  })

  test('after the backend has told its prompt pays for that one', async () => {
    const start = {
      type: 'message_start',
      message: { id: 'm', type: 'message', role: 'assistant', content: [], model: 'm', usage: { input_tokens: 5000, output_tokens: 1 } },
    }
    await using upstream = await scriptedUpstream(() =>
      eventsResponse(`event: message_start\ndata: ${JSON.stringify(start)}\n\n`, new Promise(() => {})),
    )
    await using house = await openCounting({ yaml: at(upstream.url, 'vllm') })
    const key = await makeKey(house, { quota: 1_000_000 })
    const response = await postWith(house, key, '/v1/messages', { model: 'm', messages, max_tokens: 50, stream: true })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    await reader.cancel()
    expect((await allSettled(house, key)).used).toBeWithin(5001, 5003)
  })

  test('while tokens are set aside pays nothing, and asks no backend', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openCounting({ yaml: at(upstream.url) })
    const { ledger } = house.serving.gateway
    const key = await makeKey(house, { quota: 1_000_000, tokensPerMinute: 100_000, maxConcurrency: 3 })
    const { reserve } = ledger
    const asked = Promise.withResolvers<void>()
    const decide = Promise.withResolvers<void>()
    Object.assign(ledger, {
      reserve: async (...args: Parameters<typeof reserve>) => {
        asked.resolve()
        await decide.promise
        return reserve(...args)
      },
    })
    const leaving = new AbortController()
    const response = chatWith(house, key, {}, leaving.signal).catch(() => {})
    await asked.promise
    leaving.abort()
    await response
    await comesTrue(() => house.serving.gateway.exchanges.list()[0]?.signal.aborted ?? true, 'the house knows')
    decide.resolve()
    expect(await allSettled(house, key)).toMatchObject({ used: 0, reserved: 0 })
    expect(upstream.requests).toHaveLength(0)
    const level = await house.serving.gateway.store.giveBack(`tokens:${key.id}`, { perMinute: 100_000, burst: 100_000 }, 0)
    expect(level?.remaining).toBe(100_000)
    expect(await house.serving.gateway.leases.take(`key:${key.id}`, 1)).toMatchObject({ granted: true })
  })
})

describe('the last event waits until the charge is safe', () => {
  const anthropic = (type: string, more: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`
  const forever = new Promise(() => {})
  test.each<[string, string, object, (string | object | Promise<unknown>)[], string]>([
    [
      'chat',
      '/v1/chat/completions',
      { messages },
      [
        chatChunk({ role: 'assistant', content: 'a' }),
        chatChunk({}, 'stop'),
        { ...chatChunk({}), choices: [], ...usageOf(3, 2) },
        done,
        forever,
      ],
      '[DONE]',
    ],
    [
      'completions',
      '/v1/completions',
      { prompt: 'hi' },
      [
        { id: 'c', object: 'text_completion', created: 1, model: 'm', choices: [{ index: 0, text: 'a', finish_reason: 'stop' }] },
        { id: 'c', object: 'text_completion', created: 1, model: 'm', choices: [], ...usageOf(3, 2) },
        done,
        forever,
      ],
      '[DONE]',
    ],
    [
      'messages',
      '/v1/messages',
      { messages, max_tokens: 5 },
      [
        anthropic('message_start', { message: { usage: { input_tokens: 3, output_tokens: 0 } } }),
        anthropic('message_delta', { delta: {}, usage: { output_tokens: 2 } }),
        anthropic('message_stop'),
        forever,
      ],
      '"message_stop"',
    ],
    [
      'responses',
      '/v1/responses',
      { input: 'hi' },
      [
        anthropic('response.created', { response: {} }),
        anthropic('response.completed', { response: { usage: { input_tokens: 3, output_tokens: 2 } } }),
        forever,
      ],
      '"response.completed"',
    ],
    [
      'responses that were cut',
      '/v1/responses',
      { input: 'hi' },
      ['data: {"type": "response.incomplete", "response": {"usage": {"input_tokens": 3, "output_tokens": 2}}}\n\n', forever],
      'response.incomplete',
    ],
    [
      'infill',
      '/infill',
      { input_prefix: 'a', input_suffix: 'b' },
      [{ content: 'a', stop: false }, { content: '', stop: true, tokens_predicted: 2, tokens_evaluated: 3 }, forever],
      '"stop":true',
    ],
  ])('%s', async (_name, path, body, events, last) => {
    await using upstream = await scriptedUpstream(() => eventsResponse(...events))
    await using house = await openCounting({ yaml: at(upstream.url, 'llamacpp') })
    const key = await makeKey(house, { quota: 1_000_000 })
    const { ledger } = house.serving.gateway
    const { settle } = ledger
    const asked = Promise.withResolvers<void>()
    const safe = Promise.withResolvers<void>()
    Object.assign(ledger, {
      settle: async (...args: Parameters<typeof settle>) => {
        asked.resolve()
        await safe.promise
        return settle(...args)
      },
    })
    const leaving = new AbortController()
    const response = postWith(house, key, path, { model: 'm', stream: true, ...body }, leaving.signal)
    let text = ''
    const read = (async () => {
      for await (const part of (await response).body as ReadableStream<Uint8Array>) text += new TextDecoder().decode(part)
    })().catch(() => {})
    await asked.promise
    await Bun.sleep(20) // what was not held back would be here by now
    expect(text).not.toContain(last)
    expect((await balanceOf(house, key)).used).toBe(0)
    safe.resolve()
    await comesTrue(() => text.includes(last), 'the last event comes')
    expect(await balanceOf(house, key)).toMatchObject({ used: 5, reserved: 0 })
    leaving.abort()
    await read
  })

  test('a whole answer', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openCounting({ yaml: at(upstream.url) })
    const key = await makeKey(house, { quota: 1_000_000 })
    const { ledger } = house.serving.gateway
    const { settle } = ledger
    const safe = Promise.withResolvers<void>()
    Object.assign(ledger, { settle: (...args: Parameters<typeof settle>) => safe.promise.then(() => settle(...args)) })
    let answered = false
    const response = chatWith(house, key).then(response => {
      answered = true
      return response
    })
    await upstream.until(() => upstream.streams[0]?.ended === 'complete', 'the backend has answered')
    await Bun.sleep(20)
    expect(answered).toBe(false)
    safe.resolve()
    expect((await response).status).toBe(200)
  })

  test('words of a model that look like the last event end nothing', async () => {
    const tricks = ['data: [DONE]', '\ndata: [DONE]\n\n', '"type":"message_stop"', '"stop":true', '\n\nevent: message_stop\n\n']
    const words = [...tricks, ...tricks].map(content => chatChunk({ content }))
    await using upstream = await scriptedUpstream(() =>
      eventsResponse(
        chatChunk({ role: 'assistant', content: '' }),
        ...words,
        30,
        chatChunk({ content: 'end' }, 'stop'),
        { ...chatChunk({}), choices: [], ...usageOf(30, 20) },
        done,
      ),
    )
    await using house = await openCounting({ yaml: at(upstream.url) })
    const key = await makeKey(house, { quota: 1_000_000 })
    const text = await (await chatWith(house, key, { stream: true })).text()
    expect(text).toContain('end')
    expect(await balanceOf(house, key)).toMatchObject({ used: 50, reserved: 0 })
  })
})

describe('shared and repeated work is paid once', () => {
  const cached = { cache: { mode: 'all' } }

  test('the one who asked first pays, also when it leaves and others stay', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: at(upstream.url, 'openai-compatible', cached) })
    const key = await makeKey(house, { quota: 1_000_000 })
    const leaving = new AbortController()
    const ask = (signal?: AbortSignal) => chatWith(house, key, { model: 'hold-mid', stream: true }, signal)
    const first = await ask(leaving.signal)
    const others = await Promise.all([ask(), ask()])
    expect([first, ...others].map(({ headers }) => headers.get('x-cache'))).toEqual(['MISS', 'HIT', 'HIT'])
    leaving.abort()
    await first.text().catch(() => {})
    await comesTrue(() => house.serving.gateway.exchanges.list().length === 2, 'the first has left')
    upstream.release()
    for (const { body } of others) expect(await new Response(body).text()).toContain('[DONE]')
    expect(upstream.requests).toHaveLength(1)
    expect(await allSettled(house, key)).toMatchObject({ used: 18 })
    expect(await reported(house)).toMatchObject([{ requests: 3, cached: 2, errors: 1, promptTokens: 11, completionTokens: 7 }])
  })

  test('a fallback in a batch of embeddings, part of which is known', async () => {
    const row = (index: number) => ({ object: 'embedding', index, embedding: [index] })
    let broken = false
    const answer = (json: Record<string, unknown>) =>
      Response.json({
        object: 'list',
        model: 'm',
        data: (json.input as string[]).map((_, index) => row(index)),
        usage: { prompt_tokens: (json.input as string[]).length * 10, total_tokens: 0 },
      })
    await using first = await scriptedUpstream(({ json }) =>
      broken ? new Response('', { status: 500 }) : answer({ input: [json.input].flat() }),
    )
    await using second = await scriptedUpstream(({ json }) => answer({ input: [json.input].flat() }))
    await using house = await openHouse({
      yaml: {
        backends: { a: { type: 'vllm', base_url: first.url }, b: { type: 'vllm', base_url: second.url } },
        models: [
          {
            name: 'm',
            targets: [
              { backend: 'a', model: 'm' },
              { backend: 'b', model: 'm' },
            ],
          },
        ],
        router: { retries: 0 },
        cache: {},
      },
    })
    const key = await makeKey(house, { quota: 1_000_000 })
    const embed = async (input: string[]) =>
      (await (await postWith(house, key, '/v1/embeddings', { model: 'm', input })).json()) as { data: unknown[] }
    await embed(['one', 'two'])
    expect((await balanceOf(house, key)).used).toBe(20)
    broken = true
    expect((await embed(['one', 'two', 'three'])).data).toHaveLength(3)
    // the missing one, and, because that was a fallback, all of them
    expect((await balanceOf(house, key)).used).toBe(20 + 10 + 30)
    expect(await reported(house)).toMatchObject([{ requests: 2, promptTokens: 60 }])
  })

  test('the same without a key', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: at(upstream.url, 'openai-compatible', cached) })
    const anybody = { id: 0, headers: {} }
    await Promise.all([chatWith(house, anybody), chatWith(house, anybody), chatWith(house, anybody)].map(async one => (await one).text()))
    expect(await reported(house)).toMatchObject([{ requests: 3, cached: 2, promptTokens: 11, completionTokens: 7 }])
  })

  test('a first backend that fails after its report costs nothing', async () => {
    await using first = await scriptedUpstream(() =>
      Response.json(message('x', { choices: 'none', usage: { prompt_tokens: 900, completion_tokens: 9 } })),
    )
    await using second = await scriptedUpstream(() => Response.json(message('hi', usageOf(11, 7))))
    await using house = await openHouse({
      yaml: {
        backends: { a: { type: 'vllm', base_url: first.url }, b: { type: 'vllm', base_url: second.url } },
        models: [
          {
            name: 'm',
            targets: [
              { backend: 'a', model: 'm' },
              { backend: 'b', model: 'm' },
            ],
          },
        ],
        router: { retries: 0 },
      },
    })
    const key = await makeKey(house, { quota: 1_000_000 })
    expect((await chatWith(house, key, { model: 'm' })).status).toBe(200)
    expect(await balanceOf(house, key)).toMatchObject({ used: 18, reserved: 0 })
  })
})

describe('an answer that the quota cut short', () => {
  test.each([false, true])('is kept for nobody (stream: %p)', async stream => {
    // as long as it may be
    await using upstream = await scriptedUpstream(({ json }) => {
      const most = Math.min(5000, json.max_tokens as number)
      const reason = most === 5000 ? 'stop' : 'length'
      const content = `${most} long`
      if (!stream)
        return Response.json({
          choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: reason }],
          ...usageOf(20, most),
        })
      return eventsResponse(
        chatChunk({ role: 'assistant', content }),
        chatChunk({}, reason),
        { ...chatChunk({}), choices: [], ...usageOf(20, most) },
        done,
      )
    })
    await using house = await openHouse({ yaml: at(upstream.url, 'openai-compatible', { cache: {} }) })
    const poor = await makeKey(house, { quota: 400, cacheScope: 'all' })
    const rich = await makeKey(house, { quota: 1_000_000, cacheScope: 'all' })
    const ask = async (key: typeof poor) => {
      const response = await chatWith(house, key, { max_tokens: undefined, stream })
      return [response.headers.get('x-cache'), (await response.text()).match(/(\d+) long/)?.[1]]
    }
    const [word, length] = await ask(poor)
    expect([word, Number(length) < 400]).toEqual(['MISS', true])
    expect(await ask(rich)).toEqual(['MISS', '5000'])
    expect(await ask(rich)).toEqual(['HIT', '5000'])
    expect(await ask(poor)).toEqual(['HIT', '5000'])
  })
})

test('a client that reads slowly is charged once, and nothing stays set aside', async () => {
  await using upstream = await fakeOpenai({})
  await using house = await openHouse({ yaml: at(upstream.url) })
  const key = await makeKey(house, { quota: 1_000_000, maxConcurrency: 1 })
  const response = await chatWith(house, key, { model: 'burst:200:0', stream: true })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read()) await Bun.sleep(1)
  expect(await allSettled(house, key)).toMatchObject({ used: 18, reserved: 0 })
  expect((await chatWith(house, key)).status).toBe(200)
})
