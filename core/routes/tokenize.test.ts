import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { fakeOpenai } from '../testing/fake-openai.ts'
import type { FakeServer } from '../testing/fake-server.ts'
import { fakeVllm } from '../testing/fake-vllm.ts'
import { type GatehouseProcess, startGatehouse } from '../testing/gatehouse-process.ts'

const key = 'sk-not-a-secret-7'
const hello = [{ role: 'user', content: 'hello world' }]

/** A gatehouse of its own, the binary where one is tested: threads start there in another way. */
let house: GatehouseProcess
let box: FakeServer
let cloud: FakeServer
beforeAll(async () => {
  box = await fakeVllm({ models: ['Qwen/Qwen3-32B'] })
  cloud = await fakeOpenai({ models: ['gpt-4o'] })
  const config = {
    api_key: key,
    max_body_size: 2_000_000,
    backends: {
      box: { type: 'vllm', base_url: box.url, models: ['Qwen/Qwen3-32B'] },
      cloud: { type: 'openai', base_url: cloud.url, api_key: 'sk-up', models: ['gpt-4o'] },
    },
    models: [{ name: 'smart', aliases: ['clever'], targets: [{ backend: 'box', model: 'Qwen/Qwen3-32B' }] }],
  }
  house = await startGatehouse({ files: { 'gatehouse.yaml': JSON.stringify(config) } })
})
afterAll(async () => {
  await house?.[Symbol.asyncDispose]()
  await Promise.all([box?.stop(), cloud?.stop()])
})

async function ask(body: unknown, headers: Record<string, string> = { authorization: `Bearer ${key}` }) {
  const response = await fetch(`${house.url}/v1/tokenize`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, json: (await response.json()) as Record<string, unknown> }
}

const found = (tokens: number, exact: boolean, method: string) => ({ status: 200, json: { tokens, exact, method } })

describe('counts', () => {
  test('a text, and several', async () => {
    expect(await ask({ model: 'gpt-4o', input: 'hello world' })).toEqual(found(2, true, 'o200k_base'))
    expect(await ask({ model: 'gpt-4o', input: ['hello', ' world', '<|endoftext|>'] })).toEqual(found(9, true, 'o200k_base'))
  })

  test('messages, with tools', async () => {
    expect(await ask({ model: 'gpt-4o', messages: hello })).toEqual(found(9, true, 'o200k_base'))
    const tools = [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } } }]
    const { json } = await ask({ model: 'gpt-4o', messages: hello, tools })
    expect(json).toMatchObject({ exact: false, method: 'o200k_base' })
    expect(json.tokens).toBeGreaterThan(9 + 7 + 12)
  })

  test('as the backend does that would answer, whatever the model is called here', async () => {
    box.clear()
    for (const model of ['smart', 'clever']) {
      expect((await ask({ model, messages: hello })).json).toMatchObject({ exact: true, method: 'backend' })
      expect(await ask({ model, input: ['one two', 'three'] })).toEqual(found(3, true, 'backend'))
    }
    expect(box.requests.map(({ path }) => path)).toEqual(Array.from({ length: 6 }, () => '/tokenize'))
    expect(box.requests.every(({ json }) => (json as { model: string }).model === 'Qwen/Qwen3-32B')).toBe(true)
  })

  test('a long text, and a hostile one', async () => {
    const { json: long } = await ask({ model: 'gpt-4o', input: 'hello world '.repeat(80_000) })
    expect(long).toMatchObject({ exact: true, method: 'o200k_base' })
    const { json: hostile } = await ask({ model: 'gpt-4o', input: 'a'.repeat(1_000_000) })
    expect(hostile).toEqual({ tokens: expect.any(Number), exact: false, method: 'o200k_base' })
    expect(hostile.tokens as number).toBeCloseTo(125_000, -3)
  })
})

describe('refuses', () => {
  const refused = (status: number, code: string, param: string | null) => ({
    status,
    json: { error: expect.objectContaining({ code, param }) },
  })

  test.each([
    ['no model', { input: 'x' }, 'missing_model', 'model'],
    ['a model that is no text', { model: 7, input: 'x' }, 'invalid_type', 'model'],
    ['nothing to count', { model: 'gpt-4o' }, 'missing_input', 'input'],
    ['two things to count', { model: 'gpt-4o', input: 'x', messages: hello }, 'invalid_field', 'messages'],
    ['an input that is no text', { model: 'gpt-4o', input: { text: 'x' } }, 'invalid_type', 'input'],
    ['an empty list', { model: 'gpt-4o', input: [] }, 'invalid_type', 'input'],
    ['a list with a number', { model: 'gpt-4o', input: ['x', 7] }, 'invalid_type', 'input[1]'],
    ['no messages', { model: 'gpt-4o', messages: [] }, 'missing_messages', 'messages'],
    ['messages that are none', { model: 'gpt-4o', messages: 'x' }, 'invalid_type', 'messages'],
    ['a message without a role', { model: 'gpt-4o', messages: [...hello, { content: 'x' }] }, 'invalid_type', 'messages[1]'],
    ['tools that are no list', { model: 'gpt-4o', messages: hello, tools: {} }, 'invalid_type', 'tools'],
    ['no JSON', '{"model":', 'invalid_json', null],
  ])('%s', async (_name, body, code, param) => {
    expect(await ask(body)).toEqual(refused(400, code, param))
  })

  test('a model that nobody has', async () => {
    expect(await ask({ model: 'no-such-model', input: 'x' })).toEqual(refused(404, 'model_not_found', 'model'))
  })

  test('whoever has no key', async () => {
    expect(await ask({ model: 'gpt-4o', input: 'x' }, {})).toEqual(refused(401, 'invalid_api_key', null))
    expect(await ask('{"model":', { authorization: 'Bearer sk-wrong' })).toEqual(refused(401, 'invalid_api_key', null))
  })

  test('too large a body', async () => {
    expect(await ask({ model: 'gpt-4o', input: 'x'.repeat(2_000_001) })).toEqual(refused(413, 'body_too_large', null))
  })

  test('any other method', async () => {
    const response = await fetch(`${house.url}/v1/tokenize`, { headers: { authorization: `Bearer ${key}` } })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
  })
})
