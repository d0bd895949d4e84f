import { afterAll, describe, expect, test } from 'bun:test'
import type { Backend } from './backends/backend.ts'
import { createBackend } from './backends/create.ts'
import type { TextCount } from './gateway.ts'
import type { Target } from './models.ts'
import type { Operation, Payload } from './openai.ts'
import { fakeLlamaServer } from './testing/fake-llama-server.ts'
import type { FakeServer } from './testing/fake-server.ts'
import { fakeVllm } from './testing/fake-vllm.ts'
import { createTokens } from './tokens.ts'
import { createWorkers } from './workers.ts'

const log = { warn() {}, debug() {} } as never
const workers = createWorkers({ log })
afterAll(() => workers.close())

const nowhere = 'http://127.0.0.1:9'
const open = (type: 'openai' | 'openai-compatible' | 'ollama' | 'vllm' | 'llamacpp', url = nowhere) =>
  createBackend('up', { type, base_url: url, headers: {}, timeouts: {} })

const target = (model: string, more: Partial<Target> = {}): Target => ({ backend: 'up', model, weight: 1, set: {}, strip: [], ...more })

interface Asked {
  readonly operation?: Operation
  readonly backend?: Backend
  readonly more?: Partial<Target>
  readonly signal?: AbortSignal
}

function count(
  fields: object,
  model: string,
  { operation = 'chat.completions', backend = open('openai'), more, signal }: Asked = {},
): Promise<TextCount> {
  const tokens = createTokens({ backends: new Map([['up', backend]]), workers, log, timeoutMs: 2000 })
  const payload = { model: 'asked', ...fields } as Payload
  return tokens.count(payload, operation, { targets: [target(model, more)] }, signal ?? new AbortController().signal)
}

const user = (content: unknown) => ({ messages: [{ role: 'user', content }] })

// the requests and counts of OpenAI's cookbook, where the API confirmed them
describe('as OpenAI counts', () => {
  const example = [
    {
      role: 'system',
      content: 'You are a helpful, pattern-following assistant that translates corporate jargon into plain English.',
    },
    { role: 'system', name: 'example_user', content: 'New synergies will help drive top-line growth.' },
    { role: 'system', name: 'example_assistant', content: 'Things working well together will increase revenue.' },
    {
      role: 'system',
      name: 'example_user',
      content: "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    },
    { role: 'system', name: 'example_assistant', content: "Let's talk later when we're less busy about how to do better." },
    { role: 'user', content: "This late pivot means we don't have time to boil the ocean for the client deliverable." },
  ]
  test.each([
    ['gpt-4-0613', 129, 'cl100k_base'],
    ['gpt-3.5-turbo', 129, 'cl100k_base'],
    ['gpt-4o', 124, 'o200k_base'],
    ['gpt-4o-mini-2024-07-18', 124, 'o200k_base'],
  ] as const)('the chat of the cookbook with %s', async (model, tokens, method) => {
    expect(await count({ messages: example }, model)).toEqual({ tokens, exact: true, method })
  })

  const weather = {
    messages: [
      { role: 'system', content: 'You are a helpful assistant that can answer to questions about the weather.' },
      { role: 'user', content: "What's the weather like in San Francisco?" },
    ],
    tools: [
      {
        type: 'function',
        function: {
          name: 'get_current_weather',
          description: 'Get the current weather in a given location',
          parameters: {
            type: 'object',
            properties: {
              location: { type: 'string', description: 'The city and state, e.g. San Francisco, CA' },
              unit: { type: 'string', description: 'The unit of temperature to return', enum: ['celsius', 'fahrenheit'] },
            },
            required: ['location'],
          },
        },
      },
    ],
  }
  test.each([
    ['gpt-4', 105],
    ['gpt-4o', 101],
  ] as const)('its tools with %s', async (model, tokens) => {
    expect(await count(weather, model)).toMatchObject({ tokens, exact: false })
  })

  test('texts of other operations', async () => {
    const embeddings = { operation: 'embeddings' } as const
    const method = 'cl100k_base'
    expect(await count({ input: 'tiktoken is great!' }, 'text-embedding-3-small', embeddings)).toEqual({ tokens: 6, exact: true, method })
    expect(await count({ input: ['tiktoken is great!', 'お誕生日おめでとう'] }, 'text-embedding-ada-002', embeddings)).toEqual({
      tokens: 15,
      exact: true,
      method,
    })
    expect(await count({ input: [[1, 2, 3], [4]] }, 'text-embedding-3-large', embeddings)).toEqual({ tokens: 4, exact: true, method })
    expect(await count({ prompt: 'hello world' }, 'gpt-4o', { operation: 'completions' })).toMatchObject({ tokens: 2, exact: true })
  })

  test('pictures by their size', async () => {
    const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000400000004000802000000', 'hex').toString('base64')
    const picture = (detail: string) => ({ type: 'image_url', image_url: { url: `data:image/png;base64,${png}`, detail } })
    const { tokens: text } = await count(user([{ type: 'text', text: 'What is this?' }]), 'gpt-4o')
    const cost = async (detail: string) =>
      (await count(user([{ type: 'text', text: 'What is this?' }, picture(detail)]), 'gpt-4o')).tokens - text
    expect([await cost('high'), await cost('low'), await cost('auto')]).toEqual([765, 85, 765])
    expect(await count(user([picture('high')]), 'gpt-4o')).toMatchObject({ exact: false, method: 'o200k_base' })
  })
})

describe('what is not known for sure is not called exact', () => {
  test.each([
    ['a model of others', user('hello'), 'llama3.1:8b', {}],
    ['the name of an OpenAI model where it cannot be', user('hello'), 'gpt-4o', { backend: open('ollama') }],
    ['a model whose frame is not published', user('hello'), 'gpt-5', {}],
    ['tool calls', { messages: [{ role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '{}' } }] }] }, 'gpt-4o', {}],
    [
      'parts',
      user([
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ]),
      'gpt-4o',
      {},
    ],
    ['a run that was cut', user('a'.repeat(1000)), 'gpt-4o', {}],
    ['Anthropic’s dialect', { system: 'be kind', ...user([{ type: 'text', text: 'a' }]) }, 'claude-sonnet', { operation: 'messages' }],
    ['responses', { instructions: 'be kind', input: 'hello' }, 'gpt-4.1', { operation: 'responses' }],
    ['rerank', { query: 'how?', documents: ['so', { text: 'or so' }] }, 'bge', { operation: 'rerank' }],
  ] as [string, object, string, Asked][])('%s', async (_name, fields, model, asked) => {
    const { tokens, exact, method } = await count(fields, model, asked)
    expect(tokens).toBeGreaterThan(0)
    expect(exact).toBe(false)
    expect(method).toBe('o200k_base')
  })

  test('models of others cost a little more than the nearest tokenizer says', async () => {
    const text = { input: 'one two three four five six seven eight nine ten '.repeat(20) }
    const cost = async (model: string) => (await count(text, model, { operation: 'embeddings', backend: open('ollama') })).tokens
    const own = await cost('gpt-oss:20b')
    expect(await cost('meta-llama/Llama-3.3-70B')).toBe(Math.ceil(own * 1.05))
    expect(await cost('mistral:7b')).toBe(Math.ceil(own * 1.25))
    expect(await cost('nobody/knows-it')).toBe(Math.ceil(own * 1.1))
  })
})

describe.each([
  ['llamacpp', fakeLlamaServer],
  ['vllm', fakeVllm],
] as const)('asked of %s', (type, start) => {
  async function using(run: (fake: FakeServer, backend: Backend) => Promise<void>) {
    const fake = await start({ models: ['m'] })
    await run(fake, open(type, fake.url)).finally(() => fake.stop())
  }

  test('a chat costs what its template makes of it', () =>
    using(async (_fake, backend) => {
      const one = await count(user('one two'), 'm', { backend })
      expect(one).toMatchObject({ exact: true, method: 'backend' })
      expect((await count(user('one two three'), 'm', { backend })).tokens).toBe(one.tokens + 1)
    }))

  test('it gets the request as it would be sent, without pictures', () =>
    using(async (fake, backend) => {
      const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
      const more = { set: { chat_template_kwargs: { enable_thinking: false } }, strip: ['tools'] }
      const counted = await count({ ...user([{ type: 'text', text: 'one' }, picture]), tools: [{ type: 'function' }] }, 'm', {
        backend,
        more,
      })
      const text = await count(user('one'), 'm', { backend })
      expect(counted).toEqual({ tokens: text.tokens + 1024, exact: false, method: 'backend' })
      const [sent] = fake.requests.map(({ json }) => json as Payload)
      expect(sent).toMatchObject({ model: 'm', chat_template_kwargs: { enable_thinking: false } })
      expect(sent?.tools).toBeUndefined()
      expect(JSON.stringify(fake.requests.map(({ json }) => json))).not.toContain('base64')
    }))

  test('when it cannot be asked, the nearest tokenizer counts', async () => {
    const counted = await count(user('hello'), 'm', { backend: open(type) })
    expect(counted).toMatchObject({ exact: false, method: 'o200k_base' })
  })

  test('a caller who leaves is told so', () =>
    using(async (_fake, backend) => {
      const signal = AbortSignal.abort(new Error('the client left'))
      await expect(count(user('hello'), 'm', { backend, signal })).rejects.toThrow('the client left')
    }))
})

test('a backend that does not answer is not waited for', async () => {
  const never: Backend = {
    ...open('vllm'),
    tokenize: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  }
  const tokens = createTokens({ backends: new Map([['up', never]]), workers, log, timeoutMs: 20 })
  const counted = await tokens.count(
    { model: 'm', ...user('hello') },
    'chat.completions',
    { targets: [target('m')] },
    new AbortController().signal,
  )
  expect(counted.method).toBe('o200k_base')
})

test('without a target there is still a count', async () => {
  const tokens = createTokens({ backends: new Map(), workers, log })
  const counted = await tokens.count(
    { model: 'qwen3-8b', ...user('hello') },
    'chat.completions',
    { targets: [] },
    new AbortController().signal,
  )
  expect(counted).toMatchObject({ exact: false, method: 'o200k_base' })
})
