import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { fakeLlamaServer } from './fake-llama-server.ts'
import type { FakeServer } from './fake-server.ts'

let fake: FakeServer
beforeAll(async () => {
  fake = await fakeLlamaServer({ models: ['qwen3-8b'] })
})
afterAll(() => fake.stop())

const messages = [{ role: 'user', content: 'hi' }]
const tools = [{ type: 'function', function: { name: 'echo', parameters: { type: 'object', required: ['a'], properties: {} } } }]

async function post(path: string, body: object) {
  // A pooled connection may be dead: see the test of it below.
  const response = await fetch(fake.url + path, { method: 'POST', body: JSON.stringify(body), keepalive: false })
  return { status: response.status, headers: response.headers, text: await response.text() }
}
const chat = async (model: string, more = {}) => {
  const { status, text } = await post('/v1/chat/completions', { model, messages, ...more })
  return { status, body: JSON.parse(text) }
}
const get = async (server: FakeServer, path: string) => JSON.parse(await (await fetch(server.url + path)).text())
const events = async (path: string, body: object) => {
  const { text } = await post(path, { ...body, stream: true })
  return text
    .split('\n\n')
    .map(event => /^data: (.*)$/m.exec(event)?.[1])
    .filter(data => data !== undefined)
}

test('serves its one model under any name, with timings', async () => {
  for (const model of ['echo', 'whatever']) {
    const { body } = await chat(model)
    expect(body).toMatchObject({ model: 'qwen3-8b', timings: { predicted_n: 7 }, usage: { total_tokens: 18 } })
  }
  const listed = await get(fake, '/v1/models')
  expect([listed.data[0].id, listed.models[0].name, listed.data[0].meta.n_ctx]).toEqual(['qwen3-8b', 'qwen3-8b', 4096])
})

test('streams like the real one', async () => {
  const list = await events('/v1/chat/completions', { model: 'two', messages, tools, stream_options: { include_usage: true } })
  expect(list.pop()).toBe('[DONE]')
  const chunks = list.map(data => JSON.parse(data ?? ''))
  expect(chunks[0].choices[0]).toEqual({ index: 0, delta: { role: 'assistant', content: null }, finish_reason: null })
  expect(chunks[2].choices[0].delta.tool_calls[0]).toMatchObject({ index: 0, type: 'function', function: { name: 'echo', arguments: '{' } })
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 18 }, timings: { prompt_n: 11 } })
  const failed = await events('/v1/chat/completions', { model: 'mid', messages })
  expect(JSON.parse(failed.at(-1) ?? '')).toEqual({ error: { code: 500, message: 'Compute error.', type: 'server_error' } })
})

// The real one does so too: Bun's fetch then sends about one POST in twenty into a connection that is gone.
test('announces a kept connection and closes it behind a stream', async () => {
  const body = JSON.stringify({ model: 'echo', messages, stream: true })
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: fake\r\nContent-Length: ${body.length}\r\n\r\n`
  const heard = await new Promise<string>(resolve => {
    let text = ''
    const socket = connect(fake.port, '127.0.0.1', () => socket.write(head + body))
    socket.on('data', data => {
      text += data
    })
    socket.on('end', () => resolve(text))
  })
  expect(heard.toLowerCase()).toContain('keep-alive: timeout=5, max=100')
  expect(heard).toEndWith('0\r\n\r\n')
})

test('says 503 to everything while it loads', async () => {
  const loading = await fakeLlamaServer({ loadingMs: 60 })
  const health = await fetch(`${loading.url}/health`)
  expect([health.status, await health.json()]).toEqual([503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } }])
  await Bun.sleep(80)
  expect(await get(loading, '/health')).toEqual({ status: 'ok' })
  await loading.stop()
})

test('errors are its own', async () => {
  const invalid = (message: string) => ({ status: 400, body: { error: { code: 400, message, type: 'invalid_request_error' } } })
  expect(await chat('echo', { messages: undefined })).toEqual(invalid("'messages' is required"))
  const wrong = "Field 'temperature': [json.exception.type_error.302] type must be number, but is string"
  expect(await chat('echo', { temperature: 'hot' })).toEqual(invalid(wrong))
  expect((await chat('overflow')).body.error).toMatchObject({ type: 'exceed_context_size_error', n_ctx: 4096 })
  const broken = await fetch(`${fake.url}/v1/chat/completions`, { method: 'POST', body: '{bad' })
  expect(broken.status).toBe(500)
  const locked = await fakeLlamaServer({ apiKey: 'k' })
  expect((await fetch(`${locked.url}/health`)).status).toBe(200)
  expect((await fetch(`${locked.url}/v1/models`, { headers: { 'x-api-key': 'k' } })).status).toBe(200)
  expect((await get(locked, '/v1/models')).error).toMatchObject({ code: 401, message: 'Invalid API Key' })
  await locked.stop()
})

test('the other endpoints', async () => {
  const json = async (path: string, body: object) => JSON.parse((await post(path, body)).text)
  expect(await json('/tokenize', { content: 'one two' })).toEqual({ tokens: [1, 2] })
  expect(await json('/v1/messages/count_tokens', { messages })).toEqual({ input_tokens: 11 })
  expect(await json('/infill', { model: 'echo', input_prefix: 'a', input_suffix: 'b' })).toMatchObject({ stop: true, stop_type: 'eos' })
  expect((await json('/v1/rerank', { query: 'q', documents: ['a', 'bb'] })).results[0].index).toBe(1)
  const embedded = await json('/v1/embeddings', { model: 'any', input: [[1, 2], [3]], encoding_format: 'base64' })
  expect(embedded.data[1]).toMatchObject({ index: 1, encoding_format: 'base64' })
  expect((await json('/v1/responses', { model: 'len', input: 'x' })).status).toBe('completed')
  const message = await events('/v1/messages', { model: 'think', messages, max_tokens: 5 })
  expect(message.at(-1)).toBe('{"type":"message_stop"}')
  const props = await get(fake, '/props')
  expect([props.total_slots, props.model_alias]).toEqual([4, 'qwen3-8b'])
})
