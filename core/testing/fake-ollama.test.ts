import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { fakeOllama } from './fake-ollama.ts'
import type { FakeServer } from './fake-server.ts'

let fake: FakeServer
beforeAll(async () => {
  fake = await fakeOllama()
})
afterAll(() => fake.stop())

const tools = [
  {
    type: 'function',
    function: { name: 'echo', parameters: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } } },
  },
]
const hi = [{ role: 'user', content: 'hi' }]

async function post(path: string, body: unknown) {
  const response = await fetch(fake.url + path, { method: 'POST', body: JSON.stringify(body) })
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
}
const chat = async (model: string, more = {}) => {
  const { status, text } = await post('/api/chat', { model, messages: hi, stream: false, ...more })
  return { status, body: JSON.parse(text) }
}
const lines = async (model: string, more = {}) => {
  const { type, text } = await post('/api/chat', { model, messages: hi, ...more })
  expect(type).toBe('application/x-ndjson')
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}

describe('answers', () => {
  test('are streamed unless told otherwise, and end with numbers', async () => {
    const [first, , last] = await lines('echo')
    expect(first).toMatchObject({ model: 'echo', message: { role: 'assistant', content: 'n=' }, done: false })
    expect(last).toMatchObject({ message: { content: '' }, done: true, done_reason: 'stop', prompt_eval_count: 11, eval_count: 7 })
    expect((await chat('len')).body).toMatchObject({ done_reason: 'length' })
  })

  test('bring tool calls in the last line, or in lines of their own', async () => {
    const [only] = await lines('once', { tools })
    expect(only).toMatchObject({ done: true, done_reason: 'stop' })
    expect(only.message.tool_calls[0].function).toEqual({ index: 0, name: 'echo', arguments: { text: 'x' } })
    const [first, second] = await lines('forever', { tools })
    expect([first.done, first.message.tool_calls.length]).toEqual([false, 1])
    expect(second.message.tool_calls).toBeUndefined()
    const answered = [...hi, { role: 'assistant', content: '', tool_calls: [] }, { role: 'tool', tool_name: 'echo', content: 'RESULT' }]
    expect((await chat('once', { tools, messages: answered })).body.message.content).toBe('the tool said: RESULT')
    expect((await chat('many', { tools })).body.message.tool_calls).toHaveLength(15)
  })

  test('may fail or stop in the middle', async () => {
    expect((await lines('mid')).at(-1)).toEqual({ error: 'boom' })
    expect((await chat('mid')).status).toBe(500)
    expect((await lines('no-done')).at(-1).done).toBe(false)
    expect((await lines('tail')).at(-1)).toMatchObject({ done: true, message: { content: 'two' } })
  })

  test('think, keep to a format, see, and tell what they got', async () => {
    const thought = await lines('think')
    expect(thought[0].message).toEqual({ role: 'assistant', content: '', thinking: 'let me ' })
    expect((await chat('think', { think: false })).body.message.thinking).toBeUndefined()
    expect((await chat('json', { format: { type: 'object' } })).body.message.content).toBe('{"ok":true}')
    const seen = await chat('vision', { messages: [{ role: 'user', content: '?', images: ['aGVsbG8='] }] })
    expect(seen.body.message.content).toBe('{"images":1,"bytes":[5]}')
    const sent = { options: { temperature: 0, num_predict: 5, nonsense: 1 }, keep_alive: '5m', nonsense: 1, stream: false }
    const { body } = await chat('params', sent)
    const got = { model: 'params', stream: false, options: { temperature: 0, num_predict: 5 }, keep_alive: '5m' }
    expect(JSON.parse(body.message.content)).toEqual(got)
  })
})

test('types are Go’s', async () => {
  const said = async (more: object) => {
    const { status, body } = await chat('echo', more)
    return [status, body.error]
  }
  const message = (fields: object) => ({ messages: [{ role: 'user', content: 'x', ...fields }] })
  const field = 'Go struct field ChatRequest.messages.content of type string'
  expect(await said(message({ content: [{ type: 'text', text: 'x' }] }))).toEqual([400, `json: cannot unmarshal array into ${field}`])
  const call = { function: { name: 'f', arguments: '{}' } }
  expect(await said(message({ tool_calls: [call] }))).toEqual([400, "Value looks like object, but can't find closing '}' symbol"])
  expect(await said(message({ images: ['data:image/png;base64,aGk='] }))).toEqual([400, 'illegal base64 data at input byte 4'])
  expect(await said({ options: { temperature: 'hot' } })).toEqual([500, 'option "temperature" must be of type float32'])
  expect(await said({ options: { stop: 'x' } })).toEqual([500, 'option "stop" must be of type array'])
  expect(await said({ think: true })).toEqual([400, '"echo" does not support thinking'])
  expect(await said({ keep_alive: '5' })).toEqual([400, 'time: missing unit in duration "5"'])
  expect(await said({ messages: [{ ROLE: 'user', content: null }] })).toEqual([200, undefined])
})

test('refusals are its own', async () => {
  expect(await chat('missing')).toEqual({ status: 404, body: { error: "model 'missing' not found" } })
  expect(await chat('gpt-9')).toEqual({ status: 404, body: { error: "model 'gpt-9' not found" } })
  expect((await chat('notools', { tools })).body.error).toContain('does not support tools')
  expect((await chat('notools')).status).toBe(200)
  const { error } = (await chat('overflow')).body
  expect(JSON.parse(error).error.type).toBe('exceed_context_size_error')
  const wrong = await fetch(`${fake.url}/api/chat`)
  expect([wrong.status, wrong.headers.get('allow'), await wrong.text()]).toEqual([405, 'POST', '405 method not allowed'])
})

test('the other routes', async () => {
  const get = async (path: string) => JSON.parse(await (await fetch(fake.url + path)).text())
  expect((await get('/api/tags')).models.map((model: { name: string }) => model.name)).toEqual(['mistral:latest', 'llama3.2:3b'])
  expect((await get('/api/ps')).models).toHaveLength(1)
  expect(await get('/api/version')).toHaveProperty('version')
  const { text } = await post('/api/generate', { model: 'echo', prompt: 'x', stream: false })
  expect(JSON.parse(text)).toMatchObject({ response: expect.stringMatching(/^n=/), done: true, context: [1, 2, 3] })
  const embedded = JSON.parse((await post('/api/embed', { model: 'echo', input: ['a', 'b'] })).text)
  expect([embedded.embeddings.length, embedded.prompt_eval_count]).toEqual([2, 11])
  expect((await post('/api/embed', { model: 'down-once', input: 'a' })).status).toBe(503)
  expect((await post('/api/embed', { model: 'echo', input: [1] })).text).toBe('{"error":"invalid input type"}')
  expect(JSON.parse((await post('/api/show', { model: 'echo' })).text).capabilities).toContain('completion')
  expect(JSON.parse((await post('/api/chat', { model: 'echo' })).text)).toMatchObject({ done: true, done_reason: 'load' })
})

test('errors inside its /v1 streams are swallowed', async () => {
  const { text } = await post('/v1/messages', { model: 'mid', messages: hi, max_tokens: 5, stream: true })
  expect(text).toContain('event: content_block_delta')
  expect(text).not.toContain('message_stop')
  expect(text).not.toContain('error')
})
