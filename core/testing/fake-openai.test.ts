import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI from 'openai'
import { slips } from './behaviour/slips.ts'
import { fakeOpenai } from './fake-openai.ts'
import type { FakeServer } from './fake-server.ts'

let fake: FakeServer
let client: OpenAI
beforeAll(async () => {
  fake = await fakeOpenai({ apiKey: 'sk-right' })
  client = new OpenAI({ baseURL: `${fake.url}/v1`, apiKey: 'sk-right', maxRetries: 0 })
})
afterAll(() => fake.stop())

const messages = [{ role: 'user' as const, content: 'hi' }]
const parameters = { type: 'object', required: ['text'], properties: { text: { type: 'string' } } }
const tools = [{ type: 'function' as const, function: { name: 'echo', parameters } }]

async function post(path: string, body: unknown) {
  const headers = { authorization: 'Bearer sk-right' }
  const response = await fetch(fake.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, headers: response.headers, text: await response.text() }
}
const refused = async (body: object) => {
  const { status, text } = await post('/v1/chat/completions', { model: 'echo', messages, ...body })
  return [status, JSON.parse(text).error?.code ?? JSON.parse(text).error?.param]
}

describe('with the official client', () => {
  test('chat, under a dated name', async () => {
    const { data, response } = await client.chat.completions.create({ model: 'echo', messages }).withResponse()
    expect(data.model).toBe('echo-2024-08-06')
    expect(data.choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant', refusal: null } })
    expect(data.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 })
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('9999')
    expect(response.headers.get('x-request-id')).toStartWith('req_')
  })

  test('streams text, tools and usage', async () => {
    const stream = client.chat.completions.stream({ model: 'two', messages, tools, stream_options: { include_usage: true } })
    const final = await stream.finalChatCompletion()
    expect(final.choices[0]?.finish_reason).toBe('tool_calls')
    const calls = final.choices[0]?.message.tool_calls?.map(call => call.type === 'function' && call.function.arguments)
    expect(calls).toEqual(['{"text":"x1"}', '{"text":"x2"}'])
    expect(final.usage?.total_tokens).toBe(18)
  })

  test('errors, in a stream and before', async () => {
    const stream = await client.chat.completions.create({ model: 'mid', messages, stream: true })
    const read = async () => {
      for await (const _chunk of stream);
    }
    await expect(read()).rejects.toThrow('The server had an error')
    const missing = await client.chat.completions.create({ model: 'missing', messages }).catch(error => error)
    expect(missing).toMatchObject({ status: 404, code: 'model_not_found' })
    const stranger = new OpenAI({ baseURL: `${fake.url}/v1`, apiKey: 'sk-wrong', maxRetries: 0 })
    expect(await stranger.models.list().catch(error => error)).toMatchObject({ status: 401, code: 'invalid_api_key' })
  })

  test('the other endpoints', async () => {
    expect((await client.models.list()).data.map(model => model.id)).toContain('gpt-4o-mini')
    expect((await client.models.retrieve('gpt-4o-mini')).object).toBe('model')
    const embedded = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'bc'] })
    expect(embedded.data.map(item => item.embedding.length)).toEqual([4, 4])
    expect(fake.requests.at(-1)?.json).toMatchObject({ encoding_format: 'base64' })
    const completed = await client.completions.create({ model: 'echo', prompt: 'x' })
    expect(completed.choices[0]?.text).toStartWith('n=')
    const file = new File(['sound'], 'a.wav', { type: 'audio/wav' })
    const heard = await client.audio.transcriptions.create({ model: 'echo', file })
    expect(heard.text).toBe('heard 5 bytes of a.wav')
    const spoken = await client.audio.speech.create({ model: 'echo', voice: 'alloy', input: 'hello' })
    expect([spoken.headers.get('content-type'), (await spoken.text()).endsWith('hello')]).toEqual(['audio/mpeg', true])
    const drawn = await client.images.generate({ model: 'echo', prompt: 'x' })
    expect(drawn.data?.[0]?.b64_json).toStartWith('iVBOR')
  })

  test('responses, whole and streamed', async () => {
    const whole = await client.responses.create({ model: 'echo', input: 'hi' })
    expect([whole.status, whole.output_text.startsWith('n='), whole.usage?.total_tokens]).toEqual(['completed', true, 18])
    const types: string[] = []
    const stream = await client.responses.create({ model: 'len', input: 'hi', stream: true })
    for await (const event of stream) types.push(event.type)
    expect([types[0], types.at(-1)]).toEqual(['response.created', 'response.incomplete'])
    expect(types).toContain('response.output_text.delta')
  })
})

test('it refuses what it does not know or what does not fit', async () => {
  const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }
  const called = { role: 'assistant', content: null, tool_calls: [call] }
  expect(await refused({ nonsense: 1 })).toEqual([400, 'unknown_parameter'])
  expect(await refused({ temperature: 'hot' })).toEqual([400, 'invalid_type'])
  expect(await refused({ messages: [] })).toEqual([400, 'empty_array'])
  expect(await refused({ stream_options: { include_usage: true } })).toEqual([400, 'stream_options'])
  expect(await refused({ messages: [...messages, called] })).toEqual([400, 'messages'])
  expect(await refused({ messages: [{ role: 'tool', tool_call_id: 'x', content: '' }] })).toEqual([400, 'messages.[0].role'])
  expect(await refused({ messages: [...messages, called, { role: 'tool', tool_call_id: 'call_1', content: '' }] })).toEqual([
    200,
    undefined,
  ])
  expect(await refused({ tools: [{ type: 'function', function: { name: 'mcp.fs.read' } }] })).toEqual([400, 'invalid_value'])
  expect(await refused({ tools: [{ type: 'function', function: { name: 'a'.repeat(65) } }] })).toEqual([400, 'string_above_max_length'])
})

test('each slip slips', async () => {
  const streamed = async (model: string, plain = model) => {
    const { text } = await post('/v1/chat/completions', { model, messages, tools, stream: true })
    return text.replaceAll(plain, '').replace(/chatcmpl-\w+|call_\w+|"obfuscation":"\w+",|"created":\d+,/g, '')
  }
  const straight = await streamed('two')
  for (const slip of Object.keys(slips)) {
    if (slip !== 'slip-id') expect([slip, (await streamed(slip)) === straight]).toEqual([slip, false])
  }
  const { text } = await post('/v1/chat/completions', { model: 'slip-id', messages, stream: true })
  expect(new Set(text.match(/"id":"[^"]+"/g)).size).toBeGreaterThan(2)
})
