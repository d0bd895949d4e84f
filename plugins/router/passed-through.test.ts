import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { fakeLlamaServer } from '../../core/testing/fake-llama-server.ts'
import { fakeOllama } from '../../core/testing/fake-ollama.ts'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { fakeVllm } from '../../core/testing/fake-vllm.ts'
import { type House, openHouse } from '../../core/testing/open-house.ts'

let llama: FakeServer
let vllm: FakeServer
let openai: FakeServer
let ollama: FakeServer
let house: House

beforeAll(async () => {
  ;[llama, vllm, openai, ollama] = await Promise.all([fakeLlamaServer(), fakeVllm(), fakeOpenai(), fakeOllama()])
  house = await openHouse({
    yaml: {
      backends: {
        llama: { type: 'llamacpp', base_url: llama.url },
        vllm: { type: 'vllm', base_url: vllm.url },
        openai: { type: 'openai', base_url: openai.url },
        ollama: { type: 'ollama', base_url: ollama.url },
      },
      models: ['llama', 'vllm', 'openai', 'ollama'].map(backend => ({ name: `${backend}/*`, targets: [{ backend }] })),
      default_backend: 'llama',
    },
  })
})
afterAll(async () => {
  await house.stop()
  await Promise.all([llama, vllm, openai, ollama].map(fake => fake.stop()))
})

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(house.url + path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } })
const settled = async (id: string) => {
  const line = () => house.lines.find(({ request_id, message }) => request_id === id && message === 'HTTP request')
  for (let i = 0; i < 200 && !line(); i++) await Bun.sleep(5)
  return line()
}
const messages = { max_tokens: 20, messages: [{ role: 'user', content: 'hi' }] }

describe('Anthropic messages', () => {
  test.each(['llama', 'vllm'])('%s: a whole answer under the asked name, the version header passed on', async backend => {
    const fake = backend === 'llama' ? llama : vllm
    fake.clear()
    const response = await post(
      '/v1/messages',
      { model: `${backend}/echo`, ...messages },
      { 'anthropic-version': '2023-06-01', cookie: 'a=b' },
    )
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ type: 'message', role: 'assistant', model: `${backend}/echo` })
    expect(fake.requests[0]?.json).toMatchObject({ model: 'echo' })
    expect(fake.requests[0]?.headers['anthropic-version']).toBe('2023-06-01')
    expect(fake.requests[0]?.headers.cookie).toBeUndefined()
  })

  test('a stream keeps its dialect; only the name is ours', async () => {
    const response = await post('/v1/messages', { model: 'llama/echo', stream: true, ...messages }, { 'x-request-id': 'an-1' })
    expect(response.headers.get('content-type')).toStartWith('text/event-stream')
    const text = await response.text()
    const start = text.split('\n\n').find(block => block.startsWith('event: message_start')) as string
    expect(JSON.parse(start.slice(start.indexOf('data: ') + 6))).toMatchObject({ message: { model: 'llama/echo' } })
    expect(text).toContain('event: message_stop')
    expect(text).not.toContain('[DONE]')
    expect(await settled('an-1')).toMatchObject({ status: 200, model: 'llama/echo' })
  })

  test('count_tokens', async () => {
    const response = await post('/v1/messages/count_tokens', { model: 'llama/echo', ...messages })
    expect(await response.json()).toMatchObject({ input_tokens: expect.any(Number) })
  })
})

describe('responses', () => {
  test.each(['openai', 'vllm', 'llama', 'ollama'])('%s, whole and streamed', async backend => {
    const whole = await post('/v1/responses', { model: `${backend}/echo`, input: 'hi' })
    if (backend === 'ollama' && whole.status === 404) return // an Ollama older than its Responses API
    expect(whole.status).toBe(200)
    expect(await whole.json()).toMatchObject({ object: 'response', model: `${backend}/echo` })
    const text = await (await post('/v1/responses', { model: `${backend}/echo`, input: 'hi', stream: true })).text()
    const named = text.split('\n').filter(line => line.startsWith('data: ') && line.includes('"model"'))
    expect(named.length).toBeGreaterThan(0)
    for (const line of named) expect(line).toContain(`"model":"${backend}/echo"`)
  })
})

describe('the others', () => {
  test('rerank', async () => {
    const response = await post('/v1/rerank', { model: 'llama/echo', query: 'q', documents: ['a', 'b'] })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ results: expect.any(Array), model: 'llama/echo' })
  })

  test('infill, also without a model: the default backend has one', async () => {
    for (const model of ['llama/echo', undefined]) {
      const response = await post('/infill', { ...(model && { model }), input_prefix: 'a', input_suffix: 'b' })
      expect(response.status).toBe(200)
    }
  })

  test.each(['openai', 'vllm'])('audio: a form goes through with its file, and only the name changed (%s)', async backend => {
    const fake = backend === 'openai' ? openai : vllm
    fake.clear()
    const sound = crypto.getRandomValues(new Uint8Array(50_000))
    const form = new FormData()
    form.set('file', new File([sound], 'a.wav', { type: 'audio/wav' }))
    form.set('model', `${backend}/echo`)
    form.set('language', 'de')
    const response = await fetch(`${house.url}/v1/audio/transcriptions`, { method: 'POST', body: form })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ text: expect.any(String) })
    const sent = fake.requests[0]
    const arrived = await new Response(sent?.bytes as Buffer<ArrayBuffer>, {
      headers: { 'content-type': sent?.headers['content-type'] ?? '' },
    }).formData()
    expect(arrived.get('model')).toBe('echo')
    expect(arrived.get('language')).toBe('de')
    expect(new Uint8Array(await (arrived.get('file') as File).arrayBuffer())).toEqual(sound)
  })

  test('speech: the bytes of the sound come back as they are', async () => {
    const direct = await fetch(`${openai.url}/v1/audio/speech`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'echo', input: 'hi', voice: 'alloy' }),
    })
    const response = await post('/v1/audio/speech', { model: 'openai/echo', input: 'hi', voice: 'alloy' })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(direct.headers.get('content-type'))
    expect(await response.bytes()).toEqual(await direct.bytes())
  })

  test('images', async () => {
    const response = await post('/v1/images/generations', { model: 'openai/echo', prompt: 'a cat' })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ data: expect.any(Array) })
  })

  test.each([
    ['/v1/rerank', { model: 'ollama/echo', query: 'q', documents: ['a'] }],
    ['/v1/messages', { model: 'openai/echo', ...messages }],
    ['/infill', { model: 'openai/echo' }],
    ['/v1/images/generations', { model: 'vllm/echo', prompt: 'x' }],
  ])('%s at a backend that does not speak it is a 400', async (path, body) => {
    const response = await post(path, body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_operation', param: 'model' } })
  })

  test('without a model they are a 400, and a form without one too', async () => {
    expect((await post('/v1/rerank', { query: 'q' })).status).toBe(400)
    const form = new FormData()
    form.set('file', new File(['x'], 'a.wav'))
    const response = await fetch(`${house.url}/v1/audio/transcriptions`, { method: 'POST', body: form })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'missing_model' } })
  })
})

test('embeddings come in the encoding that was asked for, also from servers that know only one', async () => {
  const input = { model: 'ollama/echo', input: ['a', 'b'] }
  const floats = (await (await post('/v1/embeddings', { ...input, encoding_format: 'float' })).json()) as {
    data: { embedding: number[] }[]
  }
  const base64 = (await (await post('/v1/embeddings', { ...input, encoding_format: 'base64' })).json()) as {
    data: { embedding: string }[]
    model: string
  }
  expect(base64.model).toBe('ollama/echo')
  for (const [i, { embedding }] of base64.data.entries()) {
    const bytes = Buffer.from(embedding, 'base64')
    const decoded = Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4))
    expect(decoded).toEqual((floats.data[i] as { embedding: number[] }).embedding.map(Math.fround))
  }
})
