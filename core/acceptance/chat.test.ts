import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { apiKey, openGate, openPair, type Pair } from './harness.ts'
import { type ChatAnswer, chatBody } from './wire.ts'

setDefaultTimeout(30_000)

let pair: Pair
beforeAll(async () => {
  pair = await openPair()
})
afterAll(() => pair?.[Symbol.asyncDispose]())

const messages = [{ role: 'user', content: 'hi' }]
const post = (body: BunFetchRequestInit['body']) =>
  pair.ask('/v1/chat/completions', { method: 'POST', headers: { 'x-api-key': apiKey }, body })

test('A38 a whole answer', async () => {
  const { status, json } = await pair.chat()
  expect(status).toBe(200)
  expect(json()).toMatchObject({
    id: expect.stringMatching(/^chatcmpl-/),
    object: 'chat.completion',
    created: expect.any(Number),
    model: 'echo',
    choices: [{ index: 0, message: { role: 'assistant', content: expect.stringMatching(/^n=\d+$/) }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
  })
})

test('A39 an answer cut off', async () => {
  const { choices } = (await pair.chat({ model: 'len' })).json<ChatAnswer>()
  expect(choices[0]?.finish_reason).toBe('length')
})

describe('A40 a request that is none', () => {
  test.each([
    ['{bad', 'Invalid request body'],
    ['{}', 'Model is required'],
    ['{"model":"echo"}', 'Messages are required'],
    ['{"model":"echo","messages":[]}', 'Messages are required'],
    [JSON.stringify({ model: 'echo', messages, temperature: 'a' }), 'Invalid request body'],
  ])('%s', async (body, message) => {
    const before = pair.chatsSeen()
    const { status, json } = await post(body)
    expect(status).toBe(400)
    expect(json()).toMatchObject({ error: { message: expect.stringContaining(message), type: 'invalid_request_error' } })
    expect(pair.chatsSeen()).toBe(before)
  })
})

test('A41 every setting of the model reaches Ollama', async () => {
  const settings = { temperature: 0, top_p: 0.5, stop: ['x'], seed: 1, frequency_penalty: 0.1, presence_penalty: 0.2 }
  expect((await pair.chat({ ...settings, max_tokens: 5 })).status).toBe(200)
  const { options } = pair.lastChat<{ options: object }>()
  expect(options).toEqual({ ...settings, num_predict: 5 })
})

test('A44 a model Ollama does not have', async () => {
  const reply = await pair.chat({ model: 'missing' })
  expect(reply.status).toBe(404)
  expect(reply.json()).toMatchObject({
    error: {
      message: expect.stringContaining('not found'),
      type: 'invalid_request_error',
      code: 'model_not_found',
      request_id: reply.headers.get('x-request-id'),
    },
  })
})

test('A45 Ollama is not there', async () => {
  await using down = await openGate()
  const { status, json } = await down.chat()
  expect(status).toBe(502)
  expect(json()).toMatchObject({ error: { message: 'Failed to connect to Ollama', type: 'server_error' } })
})

describe('A47 a body of 60 MB', () => {
  const large = chatBody({ messages: [{ role: 'user', content: 'x'.repeat(60_000_000) }] })
  const inPieces = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        const bytes = Buffer.from(large)
        for (let at = 0; at < bytes.length; at += 1_000_000) controller.enqueue(bytes.subarray(at, at + 1_000_000))
        controller.close()
      },
    })
  test.each([
    ['of a length that is told', () => large],
    ['in chunks', inPieces],
  ])('%s', async (_, body) => {
    const before = pair.ollama.requests.length
    const { status, json } = await post(body())
    expect(status).toBe(413)
    expect(json()).toMatchObject({ error: { type: 'invalid_request_error', message: expect.any(String) } })
    expect((await pair.ask('/health/live')).status).toBe(200)
    expect(pair.ollama.requests.slice(before).filter(({ path }) => path === '/api/chat')).toEqual([])
  })
})

test('A48 a call of a tool the client brings', async () => {
  const parameters = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }
  const { status, json } = await pair.chat({ model: 'once', tools: [{ type: 'function', function: { name: 'read', parameters } }] })
  expect(status).toBe(200)
  const { choices } = json<{
    choices: { finish_reason: string; message: { tool_calls: { id: string; function: { arguments: string } }[] } }[]
  }>()
  expect(choices[0]?.finish_reason).toBe('tool_calls')
  const [call, ...more] = choices[0]?.message.tool_calls ?? []
  expect(more).toEqual([])
  expect(call).toEqual({ id: expect.any(String), type: 'function', function: { name: 'read', arguments: expect.any(String) } } as never)
  expect(call?.id).not.toBe('')
  expect(JSON.parse(call?.function.arguments ?? '')).toEqual({ text: 'x' })
})

test('A50 ten at the same time', async () => {
  const replies = await Promise.all(Array.from({ length: 10 }, () => pair.chat()))
  expect(replies.map(({ status }) => status)).toEqual(Array(10).fill(200))
  expect(new Set(replies.map(({ json }) => json<ChatAnswer>().id)).size).toBe(10)
})
