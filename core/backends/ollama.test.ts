import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { fakeOllama } from '../testing/fake-ollama.ts'
import type { Backend, Call } from './backend.ts'
import { chatCall, eventsOf, testBackend, testCall } from './ollama/testing.ts'

const fake = await fakeOllama({ chunkDelayMs: 1 })
const backend = testBackend(fake.url)
beforeEach(() => fake.clear())
afterAll(() => fake.stop())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
const answerTo = async (call: Call, of: Backend = backend): Promise<any> => (await of.send(call)).json()
// biome-ignore lint/suspicious/noExplicitAny: the same
const streamOf = async (call: Call): Promise<any[]> => eventsOf(await backend.send(call))
// biome-ignore lint/suspicious/noExplicitAny: the same
const received = (): any => fake.requests.at(-1)?.json
const failureOf = (call: Call, of: Backend = backend) =>
  of.send(call).then(
    () => expect.unreachable(),
    error => error,
  )

const parameters = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }
const tools = [{ type: 'function', function: { name: 'echo', parameters } }]
const closed = 'http://127.0.0.1:9'

test('what it speaks', () => {
  const operations = ['chat.completions', 'completions', 'embeddings', 'messages', 'responses', 'audio']
  const others = ['messages.count_tokens', 'rerank', 'images', 'infill', '/v1/own']
  expect([...operations, ...others].filter(operation => backend.speaks(operation))).toEqual(operations)
  expect(backend).toMatchObject({ name: 'home', type: 'ollama' })
})

describe('chat', () => {
  test('a whole answer', async () => {
    const response = await backend.send(chatCall({ user: 'u', n: 1 }))
    expect(response.headers.get('x-gatehouse-ignored')).toBe('user, n')
    const content = expect.stringMatching(/^n=\d+$/)
    expect(await response.json()).toEqual({
      id: 'chatcmpl-new1',
      object: 'chat.completion',
      created: 7,
      model: 'echo',
      choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
    })
  })

  test('the headers of the request', async () => {
    const own = testBackend(fake.url, { apiKey: 'secret', headers: { 'X-Team': 'a', Authorization: 'Bearer other' } })
    await own.send(chatCall({}, { headers: { traceparent: '00-1' } }))
    expect(fake.requests[0]?.headers).toMatchObject({
      'x-request-id': 'r1',
      'content-type': 'application/json',
      accept: 'application/json',
      'x-team': 'a',
      traceparent: '00-1',
      authorization: 'Bearer other',
    })
    await testBackend(fake.url, { apiKey: 'secret' }).send(chatCall({ stream: true }))
    expect(fake.requests[1]?.headers).toMatchObject({ authorization: 'Bearer secret', accept: 'application/x-ndjson' })
  })

  test('the parameters arrive', async () => {
    const asked = { temperature: 0, top_p: 0.5, max_tokens: 5, stop: ['x'], seed: 1, frequency_penalty: 0.1 }
    const { choices } = await answerTo(chatCall({ model: 'params', ...asked, think: false }))
    expect(JSON.parse(choices[0].message.content)).toMatchObject({
      think: false,
      options: { temperature: 0, top_p: 0.5, num_predict: 5, stop: ['x'], seed: 1, frequency_penalty: 0.1 },
    })
  })

  test('an answer that was cut off', async () => {
    expect((await answerTo(chatCall({ model: 'len' }))).choices[0].finish_reason).toBe('length')
  })

  test('thinking', async () => {
    const { choices } = await answerTo(chatCall({ model: 'think', reasoning_effort: 'high' }))
    expect(choices[0].message).toMatchObject({ content: 'seen', reasoning_content: 'let me see', reasoning: 'let me see' })
    expect(received().think).toBe('high')
  })

  test('JSON', async () => {
    const { choices } = await answerTo(chatCall({ model: 'json', response_format: { type: 'json_object' } }))
    expect(choices[0].message.content).toBe('{"ok":true}')
  })

  test('an image', async () => {
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${btoa('123')}` } }
    const content = [{ type: 'text', text: 'see' }, image]
    const { choices } = await answerTo(chatCall({ model: 'vision', messages: [{ role: 'user', content }] }))
    expect(JSON.parse(choices[0].message.content)).toEqual({ images: 1, bytes: [3] })
  })

  test('an image behind a URL is refused before anything is sent', async () => {
    const content = [{ type: 'image_url', image_url: { url: 'https://host/a.png' } }]
    const error = await failureOf(chatCall({ messages: [{ role: 'user', content }] }))
    expect(error).toMatchObject({ status: 400, extra: { param: 'messages[0].content[0].image_url' } })
    expect(fake.requests).toHaveLength(0)
  })
})

describe('tools', () => {
  test('a call, its result, and the answer', async () => {
    const messages = [{ role: 'user', content: 'hi' }]
    const first = await answerTo(chatCall({ model: 'once', messages, tools }))
    const [{ message, finish_reason }] = first.choices
    expect(finish_reason).toBe('tool_calls')
    expect(message.content).toBeNull()
    const [call] = message.tool_calls
    expect(call).toEqual({ id: expect.any(String), type: 'function', function: { name: 'echo', arguments: '{"text":"x"}' } })

    const result = { role: 'tool', tool_call_id: call.id, content: 'X' }
    const second = await answerTo(chatCall({ model: 'once', tools, messages: [...messages, message, result] }))
    expect(second.choices[0]).toMatchObject({ message: { content: 'the tool said: X' }, finish_reason: 'stop' })
    expect(received().messages[2]).toEqual({ role: 'tool', content: 'X', tool_name: 'echo', tool_call_id: call.id })
  })

  test.each(['once', 'two', 'many'])('streamed: %s', async model => {
    const events = await streamOf(chatCall({ model, tools, stream: true }))
    const deltas = events.flatMap(event => event.choices?.map((choice: { delta: unknown }) => choice.delta) ?? [])
    const calls = deltas.flatMap(delta => delta.tool_calls ?? [])
    const count = { once: 1, two: 2, many: 15 }[model] ?? 0
    expect(calls.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_, index) => index))
    expect(new Set(calls.map(({ id }) => id)).size).toBe(count)
    expect(deltas.filter(delta => delta.role)).toHaveLength(1)
    expect(events.at(-3)?.choices[0].finish_reason).toBe('tool_calls')
  })

  test('tool_choice', async () => {
    await answerTo(chatCall({ tools, tool_choice: 'none' }))
    expect(received().tools).toBeUndefined()
    const response = await backend.send(chatCall({ tools, tool_choice: 'required' }))
    expect(received().tools).toHaveLength(1)
    expect(response.headers.get('x-gatehouse-ignored')).toBe('tool_choice')
  })

  test('the older form', async () => {
    const { choices } = await answerTo(chatCall({ model: 'two', functions: [{ name: 'echo', parameters }] }))
    expect(choices[0]).toMatchObject({
      message: { content: 'checking ', function_call: { name: 'echo', arguments: '{"text":"x1"}' } },
      finish_reason: 'function_call',
    })
    expect(choices[0].message.tool_calls).toBeUndefined()
  })

  test('a model without tools', async () => {
    const response = await backend.send(chatCall({ model: 'notools', tools }))
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { type: 'invalid_request_error', message: expect.stringContaining('does not support tools') },
    })
  })
})

describe('chat, streamed', () => {
  test('from the role to [DONE]', async () => {
    const response = await backend.send(chatCall({ stream: true, user: 'u' }))
    expect(response.headers.get('content-type')).toStartWith('text/event-stream')
    expect(response.headers.get('x-gatehouse-ignored')).toBe('user')
    const events = (await eventsOf(response)) as Record<string, unknown>[]
    expect(new Set(events.slice(0, -1).map(({ id }) => id)).size).toBe(1)
    expect(events.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 } })
    expect(events.at(-1) as unknown).toBe('[DONE]')
  })

  test('the first chunk is there before the last one is made', async () => {
    const { body } = await backend.send(chatCall({ model: 'hold-mid', stream: true }))
    const reader = (body as ReadableStream<Uint8Array>).getReader()
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toContain('one ')
    fake.release()
    while (!(await reader.read()).done);
    expect(fake.streams[0]?.ended).toBe('complete')
  })

  test('characters that were cut in half', async () => {
    const events = await streamOf(chatCall({ model: 'unicode', stream: true }))
    expect(events.map(event => event.choices?.[0]?.delta?.content ?? '').join('')).toBe('héllo 世界 🙂')
  })

  test('text in the last line', async () => {
    const events = await streamOf(chatCall({ model: 'tail', stream: true }))
    expect(events.map(event => event.choices?.[0]?.delta?.content ?? '').join('')).toBe('one two')
  })

  test('an error in the stream', async () => {
    const events = await streamOf(chatCall({ model: 'mid', stream: true }))
    expect(events.at(-1)).toEqual({ error: { message: 'boom', type: 'server_error', param: null, code: null } })
  })

  test('a connection that breaks', async () => {
    const response = await backend.send(chatCall({ model: 'break', stream: true }))
    await expect(response.text()).rejects.toThrow()
  })

  test('an answer that ends without an end', async () => {
    const events = await streamOf(chatCall({ model: 'no-done', stream: true }))
    expect(events.at(-1).error.message).toBe("The model's answer ended early.")
  })

  test.each([
    ['missing', 404],
    ['boom', 500],
    ['down-once', 503],
  ])('%s is an error response, not a stream', async (model, status) => {
    const response = await backend.send(chatCall({ model, stream: true }))
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toStartWith('application/json')
  })
})

describe('failures', () => {
  test('an unknown model', async () => {
    const response = await backend.send(chatCall({ model: 'missing' }))
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({
      error: {
        message: "model 'missing' not found",
        type: 'invalid_request_error',
        param: 'model',
        code: 'model_not_found',
        request_id: 'r1',
      },
    })
  })

  test('a prompt that is too long', async () => {
    const response = await backend.send(chatCall({ model: 'overflow' }))
    const message = expect.stringMatching(/^request \(9000 tokens\) exceeds/)
    expect(await response.json()).toMatchObject({ error: { message, code: 'context_length_exceeded' } })
  })

  test('when to come back', async () => {
    const response = await backend.send(chatCall({ model: 'busy' }))
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '60'])
  })

  test('a refused key is not the fault of the client: the router turns the status into a 502', async () => {
    const locked = await fakeOllama({ apiKey: 'right' })
    const response = await testBackend(locked.url, { apiKey: 'wrong' }).send(chatCall({}))
    await locked.stop()
    expect(response.status).toBe(401)
    expect(await response.text()).not.toContain('unauthorized')
  })

  test('nobody there', async () => {
    const error = await failureOf(chatCall({}), testBackend(closed))
    expect(error).toMatchObject({ status: 502, type: 'server_error', code: 'bad_gateway', message: 'Failed to connect to Ollama' })
    expect(error.extra.cause).toBeDefined()
  })

  test('a redirect is not followed', async () => {
    expect(await failureOf(chatCall({ model: 'redirect' }))).toMatchObject({ status: 502, message: expect.stringContaining('redirect') })
    expect(fake.requests).toHaveLength(1)
  })

  test('an answer that breaks off', async () => {
    const error = await failureOf(chatCall({ model: 'break' }))
    expect(error).toMatchObject({ status: 502, type: 'server_error', message: 'Failed to read response from Ollama' })
  })

  test.each([chatCall({ model: 'no-done' }), testCall('completions', { model: 'no-done', prompt: 'a' })])(
    'an answer that is not done',
    async call => {
      const response = await backend.send(call)
      expect(response.status).toBe(500)
      expect(await response.json()).toMatchObject({ error: { message: "The model's answer ended early." } })
    },
  )

  test.each(['<html>', '[]', '{}', '{"message":"x"'])('an answer like %s', async body => {
    const strange = Bun.serve({ port: 0, fetch: () => new Response(body) })
    const other = testBackend(`http://127.0.0.1:${strange.port}`)
    for (const call of [chatCall({}), testCall('completions', { prompt: 'a' }), testCall('embeddings', { input: 'a' })]) {
      expect(await failureOf(call, other)).toMatchObject({ status: 502, message: 'Failed to parse response from Ollama' })
    }
    await strange.stop(true)
  })
})

describe('completions', () => {
  test('a whole answer', async () => {
    expect(await answerTo(testCall('completions', { prompt: 'a', echo: true }))).toMatchObject({
      id: expect.stringMatching(/^cmpl-/),
      object: 'text_completion',
      choices: [{ index: 0, text: expect.stringMatching(/^an=\d+$/), logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
    })
  })

  test('several prompts, one after another', async () => {
    const { choices, usage } = await answerTo(testCall('completions', { model: 'len', prompt: ['a', 'b', 'c'], echo: true }))
    expect(choices.map(({ index, text }: { index: number; text: string }) => [index, text])).toEqual([
      [0, 'acut off he'],
      [1, 'bcut off he'],
      [2, 'ccut off he'],
    ])
    expect(usage).toEqual({ prompt_tokens: 33, completion_tokens: 21, total_tokens: 54 })
  })

  test('several prompts, streamed', async () => {
    const events = await streamOf(testCall('completions', { model: 'len', prompt: ['a', 'b'], echo: true, stream: true }))
    const texts = ['', '']
    for (const { index, text } of events.flatMap(event => event.choices ?? [])) texts[index] += text
    expect(texts).toEqual(['acut off he', 'bcut off he'])
    const finished = events.flatMap(event => event.choices ?? []).filter(choice => choice.finish_reason === 'length')
    expect(finished.map(({ index }) => index)).toEqual([0, 1])
    expect(events.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: 22, completion_tokens: 14, total_tokens: 36 } })
    expect(events.at(-1)).toBe('[DONE]')
  })

  test('thinking is not part of the text', async () => {
    const { choices } = await answerTo(testCall('completions', { model: 'think', prompt: 'a' }))
    expect(choices[0]).toMatchObject({ text: 'seen', reasoning_content: 'let me see' })
  })

  test('an unknown model', async () => {
    expect((await backend.send(testCall('completions', { model: 'missing', prompt: 'a', stream: true }))).status).toBe(404)
  })
})

describe('embeddings', () => {
  test('floats', async () => {
    const { object, data, model, usage } = await answerTo(testCall('embeddings', { input: ['a', 'b'], dimensions: 3 }))
    expect([object, model]).toEqual(['list', 'echo'])
    expect(data).toMatchObject([
      { object: 'embedding', index: 0 },
      { object: 'embedding', index: 1 },
    ])
    expect(data[0].embedding).toHaveLength(3)
    expect(usage.prompt_tokens).toBe(usage.total_tokens)
  })

  test('base64 holds the same numbers', async () => {
    const floats = (await answerTo(testCall('embeddings', { input: 'a' }))).data[0].embedding
    const text = (await answerTo(testCall('embeddings', { input: 'a', encoding_format: 'base64' }))).data[0].embedding
    const bytes = Buffer.from(text, 'base64')
    const read = floats.map((_: number, index: number) => bytes.readFloatLE(index * 4))
    expect(read).toEqual(floats.map(Math.fround))
  })
})

describe('passed through', () => {
  test('path, bytes and answer stay as they are', async () => {
    const seen: { path: string; type: string | null; body: string }[] = []
    const server = Bun.serve({
      port: 0,
      async fetch(request) {
        seen.push({ path: new URL(request.url).pathname, type: request.headers.get('content-type'), body: await request.text() })
        return new Response('event: ping\n\n', { headers: { 'content-type': 'text/event-stream' } })
      },
    })
    const call = testCall('messages', { odd: 1 }, { path: '/v1/messages', contentType: 'application/json; x=y' })
    const response = await testBackend(`http://127.0.0.1:${server.port}`).send(call)
    expect(await response.text()).toBe('event: ping\n\n')
    expect(seen).toEqual([{ path: '/v1/messages', type: 'application/json; x=y', body: '{"model":"echo","odd":1}' }])
    await server.stop(true)
  })

  test('an Ollama that is too old for it', async () => {
    const old = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('404 page not found', { status: 404 }) })
    const response = await testBackend(old.url.origin).send(testCall('messages', {}, { path: '/v1/messages' }))
    expect(response.status).toBe(502)
    await old.stop(true)
  })

  test('a path beside the one it has', async () => {
    expect(await failureOf(testCall('audio', {}, { path: '/v1/audio/speech' }))).toMatchObject({
      status: 400,
      code: 'unsupported_operation',
    })
  })
})

describe('models and probe', () => {
  const { signal } = new AbortController()

  test('the list', async () => {
    const [first, second] = await backend.models(signal)
    expect(first).toEqual({ id: 'mistral:latest', ownedBy: 'ollama', created: expect.any(Number) })
    expect(second?.id).toBe('llama3.2:3b')
    expect(Number.isInteger(first?.created)).toBe(true)
  })

  test('a good one', async () => {
    expect(await backend.probe(signal)).toBeUndefined()
  })

  test('nobody there', async () => {
    const other = testBackend(closed)
    await expect(other.models(signal)).rejects.toMatchObject({ status: 502, message: 'Failed to connect to Ollama' })
    await expect(other.probe(signal)).rejects.toMatchObject({ status: 503, type: 'service_unavailable', message: 'Ollama unreachable' })
  })

  test('a sick one', async () => {
    const sick = Bun.serve({ port: 0, fetch: () => Response.json({ models: [] }, { status: 500 }) })
    const other = testBackend(`http://127.0.0.1:${sick.port}`)
    await expect(other.models(signal)).rejects.toMatchObject({ status: 502, type: 'server_error', message: 'Ollama returned status 500' })
    await expect(other.probe(signal)).rejects.toMatchObject({ status: 503, message: 'Ollama returned status 500' })
    await sick.stop(true)
  })

  test('a strange one', async () => {
    const strange = Bun.serve({ port: 0, fetch: () => new Response('hello') })
    const other = testBackend(`http://127.0.0.1:${strange.port}`)
    await expect(other.models(signal)).rejects.toMatchObject({ status: 502, message: 'Failed to parse response from Ollama' })
    await strange.stop(true)
  })
})
