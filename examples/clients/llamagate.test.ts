import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { fakeOllama } from '../../core/testing/fake-ollama.ts'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { type House, openHouse } from '../../core/testing/open-house.ts'
import { runScript } from './run-script.ts'

/** A gateway set up with nothing but LlamaGate's own environment. */
describe('scripts written for LlamaGate', () => {
  const key = 'sk-llamagate'
  let fake: FakeServer
  let house: House
  beforeAll(async () => {
    fake = await fakeOllama()
    house = await openHouse({ env: { OLLAMA_HOST: fake.url, API_KEY: ` ${key} `, RATE_LIMIT_RPS: '50', DEBUG: 'false' } })
  })
  afterAll(async () => {
    await house?.stop()
    await fake?.stop()
  })

  const ask = (path: string, headers: Record<string, string>, body?: unknown) =>
    fetch(`${house.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  const hello = { model: 'mistral', messages: [{ role: 'user', content: 'Hello, how are you?' }] }

  test.skipIf(!Bun.which('curl'))('the one beside this file', async () => {
    const env = { LLAMAGATE_URL: house.url, LLAMAGATE_API_KEY: key, LLAMAGATE_MODEL: 'mistral' }
    const output = await runScript(['sh', `${import.meta.dir}/llamagate.sh`], env)
    const [health, models, chat, stream, request, refused] = output.split(/^# .*\n/m).slice(1) as [
      string,
      string,
      string,
      string,
      string,
      string,
    ]
    expect(JSON.parse(health)).toEqual({ status: 'healthy', ollama: 'connected', ollama_host: fake.url })
    expect(JSON.parse(models)).toMatchObject({
      object: 'list',
      data: [{ id: 'mistral:latest', owned_by: 'ollama' }, { id: 'llama3.2:3b' }],
    })
    expect(JSON.parse(chat)).toMatchObject({ model: 'mistral', choices: [{ message: { role: 'assistant' }, finish_reason: 'stop' }] })
    expect(stream.trim().split('\n\n').at(-1)).toBe('data: [DONE]')
    expect(
      stream
        .trim()
        .split('\n\n')
        .every(event => event.startsWith('data: ')),
    ).toBe(true)
    expect(request.toLowerCase()).toContain('x-request-id: my-request-1')
    expect(JSON.parse(refused)).toMatchObject({ error: { message: 'Invalid API key', type: 'invalid_request_error' } })
  })

  test.each([
    { 'X-API-Key': key },
    { 'x-api-key': key },
    { Authorization: `Bearer ${key}` },
    { Authorization: `bearer ${key}` },
    { Authorization: `BEARER ${key}` },
  ])('the key as %j', async headers => {
    expect((await ask('/v1/models', headers as Record<string, string>)).status).toBe(200)
  })

  test.each([
    {},
    { 'X-API-Key': 'wrong' },
    { Authorization: 'Bearer wrong' },
    { Authorization: 'Bearer' },
    { Authorization: `Basic ${key}` },
    { 'X-API-Key': 'wrong', Authorization: `Bearer ${key}` },
  ])('a key that does not fit: %j', async headers => {
    const response = await ask('/v1/models', headers as Record<string, string>)
    expect(response.status).toBe(401)
    const { error } = (await response.json()) as { error: Record<string, string> }
    expect(error).toMatchObject({ message: 'Invalid API key', type: 'invalid_request_error' })
    expect(error.request_id).toBe(response.headers.get('x-request-id') as string)
  })

  test('/health needs no key', async () => {
    const response = await ask('/health', {})
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ status: 'healthy', ollama: 'connected', ollama_host: fake.url })
  })

  test('X-Request-ID comes back and reaches Ollama; without one there is a new one', async () => {
    const own = await ask('/v1/chat/completions', { 'X-API-Key': key, 'X-Request-ID': 't-1' }, hello)
    expect(own.headers.get('x-request-id')).toBe('t-1')
    expect(fake.requests.at(-1)?.headers['x-request-id']).toBe('t-1')
    const made = await ask('/v1/chat/completions', { 'X-API-Key': key }, { ...hello, temperature: 0.1 })
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test('a stream', async () => {
    const response = await ask('/v1/chat/completions', { 'X-API-Key': key }, { ...hello, stream: true })
    expect(response.headers.get('content-type')).toStartWith('text/event-stream')
    expect(response.headers.get('cache-control')).toContain('no-cache')
    const events = (await response.text()).trim().split('\n\n')
    expect(events.pop()).toBe('data: [DONE]')
    const chunks = events.map(event => JSON.parse(event.replace(/^data: /, '')))
    expect(chunks.map(({ choices }) => choices[0].delta.content ?? '').join('')).toMatch(/^n=\d+$/)
    expect(chunks.at(-1).choices[0].finish_reason).toBe('stop')
  })

  test('the messages scripts match on', async () => {
    const headers = { 'X-API-Key': key }
    const messageOf = async (body: unknown) => {
      const response = await ask('/v1/chat/completions', headers, body)
      const { error } = (await response.json()) as { error: { message: string; type: string } }
      return `${response.status} ${error.type}: ${error.message}`
    }
    expect(await messageOf({})).toBe('400 invalid_request_error: Model is required')
    expect(await messageOf({ model: 'mistral' })).toBe('400 invalid_request_error: Messages are required')
    expect(await messageOf({ model: 'mistral', messages: [] })).toBe('400 invalid_request_error: Messages are required')
    expect(await messageOf({ ...hello, temperature: 'a' })).toBe('400 invalid_request_error: Invalid request body')
    expect(await messageOf({ ...hello, model: 'missing' })).toContain('404 invalid_request_error: ')
  })

  test('no key is in the log', () => {
    expect(house.lines.length).toBeGreaterThan(0)
    expect(JSON.stringify(house.lines)).not.toContain(key)
  })
})
