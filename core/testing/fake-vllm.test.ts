import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { FakeServer } from './fake-server.ts'
import { fakeVllm } from './fake-vllm.ts'

let fake: FakeServer
beforeAll(async () => {
  fake = await fakeVllm({ models: ['Qwen/Qwen3-32B', 'qwen'] })
})
afterAll(() => fake.stop())

const messages = [{ role: 'user', content: 'hi' }]
const tools = [{ type: 'function', function: { name: 'echo', parameters: { type: 'object', required: ['a'], properties: {} } } }]

async function post(path: string, body: object) {
  const response = await fetch(fake.url + path, { method: 'POST', body: JSON.stringify(body) })
  return { status: response.status, text: await response.text() }
}
const chat = async (model: string, more = {}) => {
  const { status, text } = await post('/v1/chat/completions', { model, messages, ...more })
  return { status, body: JSON.parse(text) }
}
const chunks = async (model: string, more = {}) => {
  const { text } = await post('/v1/chat/completions', { model, messages, stream: true, ...more })
  const events = text.split('\n\n').filter(event => event.startsWith('data: '))
  expect(events.pop()).toBe('data: [DONE]')
  return events.map(event => JSON.parse(event.slice(6)))
}

test('answers under the first of its names, with vLLM’s nulls', async () => {
  const { body } = await chat('qwen')
  expect(body.model).toBe('Qwen/Qwen3-32B')
  expect(body.choices[0].message).toMatchObject({ tool_calls: [], reasoning: null, function_call: null })
  expect(body.choices[0]).toMatchObject({ finish_reason: 'stop', stop_reason: null })
})

test('tells usage only when asked, at the end or all along', async () => {
  const usages = async (options?: object) =>
    (await chunks('echo', options ? { stream_options: options } : {})).map(chunk => Boolean(chunk.usage))
  expect(await usages()).toEqual([false, false, false, false])
  expect(await usages({ include_usage: true })).toEqual([false, false, false, false, true])
  expect(await usages({ include_usage: true, continuous_usage_stats: true })).toEqual([true, true, true, true, true])
  expect((await chat('echo', { stream_options: { include_usage: true } })).status).toBe(400)
})

test('streams reasoning, and the name of a call without arguments', async () => {
  const thought = await chunks('think')
  expect(thought[1].choices[0].delta).toEqual({ reasoning: 'let me ' })
  const called = await chunks('once', { tools })
  expect(called[1].choices[0].delta.tool_calls[0].function).toEqual({ name: 'echo' })
  expect(called.at(-1).choices[0].finish_reason).toBe('tool_calls')
})

test('errors have a number for a code, in a stream too', async () => {
  const missing = { message: 'The model `missing` does not exist.', type: 'NotFoundError', param: 'model', code: 404 }
  expect(await chat('missing')).toEqual({ status: 404, body: { error: missing } })
  expect((await chunks('mid')).at(-1)).toMatchObject({ error: { type: 'InternalServerError', code: 500 } })
  expect((await chat('echo', { temperature: 'hot' })).body.error).toMatchObject({
    type: 'Bad Request',
    param: 'body.temperature',
    code: 400,
  })
  expect((await chat('echo', { nonsense: true })).status).toBe(200)
  expect((await chat('notools', { tools })).body.error.message).toContain('--enable-auto-tool-choice')
})

test('only /v1 asks for the key', async () => {
  const locked = await fakeVllm({ apiKey: 'k' })
  const refused = await fetch(`${locked.url}/v1/models`)
  expect([refused.status, await refused.json()]).toEqual([401, { error: 'Unauthorized' }])
  const health = await fetch(`${locked.url}/health`)
  expect([health.status, await health.text()]).toEqual([200, ''])
  await locked.stop()
})

test('the other endpoints', async () => {
  const json = async (path: string, body: object) => JSON.parse((await post(path, body)).text)
  const models = JSON.parse(await (await fetch(`${fake.url}/v1/models`)).text())
  expect(models.data[0]).toMatchObject({ id: 'Qwen/Qwen3-32B', owned_by: 'vllm', max_model_len: 4096 })
  const base64 = await json('/v1/embeddings', { model: 'echo', input: 'x', encoding_format: 'base64' })
  expect(Buffer.from(base64.data[0].embedding, 'base64')).toHaveLength(16)
  const reranked = await json('/v1/rerank', { model: 'echo', query: 'q', documents: ['a', 'longer'], top_n: 1 })
  expect(reranked.results).toEqual([{ index: 1, document: { text: 'longer', multi_modal: null }, relevance_score: 0.06 }])
  expect(await json('/tokenize', { model: 'echo', prompt: 'one two' })).toMatchObject({ count: 2, max_model_len: 4096, tokens: [1, 2] })
  const message = await json('/v1/messages', { model: 'once', messages, max_tokens: 5, tools: [{ name: 'echo', input_schema: {} }] })
  expect(message).toMatchObject({ type: 'message', stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'echo', input: {} }] })
  const form = new FormData()
  form.set('model', 'echo')
  form.set('file', new File(['abc'], 'a.mp3'))
  const heard = await fetch(`${fake.url}/v1/audio/transcriptions`, { method: 'POST', body: form })
  expect(await heard.json()).toEqual({ text: 'heard 3 bytes of a.mp3', usage: { type: 'duration', seconds: 1 } })
})

test('passed-through streams end in vLLM’s ways', async () => {
  const { text } = await post('/v1/messages', { model: 'echo', messages, max_tokens: 5, stream: true })
  expect(text).toContain('event: message_start')
  expect(text).toEndWith('event: message_stop\ndata: {"type":"message_stop"}\n\ndata: [DONE]\n\n')
  const failed = await post('/v1/messages', { model: 'mid', messages, max_tokens: 5, stream: true })
  expect(failed.text).toContain('event: error')
  await expect(post('/v1/responses', { model: 'mid', input: 'x', stream: true })).rejects.toThrow()
})
