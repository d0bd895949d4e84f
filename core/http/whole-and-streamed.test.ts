/** A stream put together says what the same server says at once; and the official client reads it the same way. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream'
import { slips } from '../testing/behaviour/slips.ts'
import { fakeLlamaServer } from '../testing/fake-llama-server.ts'
import { fakeOllama } from '../testing/fake-ollama.ts'
import { fakeOpenai } from '../testing/fake-openai.ts'
import type { FakeServer } from '../testing/fake-server.ts'
import { fakeVllm } from '../testing/fake-vllm.ts'
import { type House, openHouse } from '../testing/open-house.ts'
import type { JsonObject } from './json-object.ts'
import { toWhole } from './stream-to-whole.ts'

const backends = ['openai', 'vllm', 'llama', 'ollama'] as const
let fakes: FakeServer[]
let house: House
beforeAll(async () => {
  const options = { chunkDelayMs: 1 }
  fakes = await Promise.all([fakeOpenai(options), fakeVllm(options), fakeLlamaServer(options), fakeOllama(options)])
  const types = { openai: 'openai', vllm: 'vllm', llama: 'llamacpp', ollama: 'ollama' }
  house = await openHouse({
    yaml: {
      backends: Object.fromEntries(backends.map((name, i) => [name, { type: types[name], base_url: fakes[i]?.url }])),
      models: backends.map(backend => ({ name: `${backend}/*`, targets: [{ backend }] })),
      router: { retries: 0 },
    },
  })
})
afterAll(async () => {
  await house.stop()
  await Promise.all(fakes.map(fake => fake.stop()))
})

type Operation = 'chat.completions' | 'completions'
const paths = { 'chat.completions': '/v1/chat/completions', completions: '/v1/completions' }
const ask = (operation: Operation, body: object) => fetch(house.url + paths[operation], { method: 'POST', body: JSON.stringify(body) })
const record = async (operation: Operation, body: object) =>
  (await ask(operation, { ...body, stream: true, stream_options: { include_usage: true } })).bytes()

const user = (content: unknown) => ({ role: 'user', content })
const messages = [user('hi')]
const parameters = { type: 'object', required: ['text'], properties: { text: { type: 'string' } } }
const tools = ['one', 'other'].map(name => ({ type: 'function', function: { name, parameters } }))
const pixel = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** Every model of the fakes that comes to an end; `params` would tell of `stream`. */
const plain = ['echo', 'len', 'tail', 'slow', 'burst:5:1', 'silent:1', 'big', 'unicode', 'notools', 'think']
const calling = ['once', 'two', 'many', 'forever']
const chats: readonly (readonly [string, object])[] = [
  ...plain.map(model => [model, { messages }] as const),
  ...calling.map(model => [model, { messages, tools }] as const),
  ['two', { messages }],
  ['json', { messages, response_format: { type: 'json_object' } }],
  ['vision', { messages: [user([{ type: 'image_url', image_url: { url: pixel } }])] }],
]

for (const backend of backends) {
  describe(backend, () => {
    test.each(chats)('chat: %s %#', async (model, fields) => {
      await compare('chat.completions', { model: `${backend}/${model}`, ...fields })
    })

    test.each(['echo', 'len', 'tail', 'slow', 'burst:5:1', 'big', 'unicode'])('completion: %s', async model => {
      await compare('completions', { model: `${backend}/${model}`, prompt: 'hi' })
    })

    test.each(['mid', 'break', 'no-done'])('%s: not whole', async model => {
      const bytes = await record('chat.completions', { model: `${backend}/${model}`, messages })
      const said = new TextDecoder().decode(bytes)
      if (model === 'no-done' && !said.includes('"error"'))
        expect(said).toContain('[DONE]') // the normaliser could tell
      else expect(toWhole(bytes, { operation: 'chat.completions' })).toBeUndefined()
    })

    if (backend === 'ollama') return
    test.each(Object.keys(slips))('%s', async model => {
      await compare('chat.completions', { model: `${backend}/${model}`, messages, tools })
    })
  })
}

test('Ollama: logprobs, and a legacy call', async () => {
  await compare('chat.completions', { model: 'ollama/len', messages, logprobs: true, top_logprobs: 2 })
  await compare('completions', { model: 'ollama/len', prompt: 'hi', logprobs: 2, echo: true })
  await compare('chat.completions', { model: 'ollama/once', messages, functions: [tools[0]?.function] })
})

async function compare(operation: Operation, body: object) {
  const response = await ask(operation, body)
  const atOnce = (await response.json()) as JsonObject
  expect(response.status, JSON.stringify(atOnce)).toBe(200)
  const bytes = await record(operation, body)
  const whole = toWhole(bytes, { operation })
  expect(told(whole)).toEqual(told(atOnce))
  if (operation !== 'chat.completions') return
  for (const { message } of (whole?.choices ?? []) as readonly { readonly message: JsonObject }[]) expect(message).toContainKey('content')
  expect(said(whole)).toEqual(said(await asClient(bytes)))
}

/** What the official client makes of the events. It reads them as lines of JSON. */
async function asClient(events: Uint8Array): Promise<JsonObject> {
  const chunks = new TextDecoder()
    .decode(events)
    .split('\n')
    .filter(line => line.startsWith('data: {'))
    .map(line => `${line.slice('data: '.length)}\n`)
  const stream = ChatCompletionStream.fromReadableStream(new Response(chunks.join('')).body as ReadableStream)
  return JSON.parse(JSON.stringify(await stream.finalChatCompletion()))
}

/**
 * An answer without what differs from one to the next (ids, times, the counter of `echo`), and without fields that say
 * nothing: vLLM has `null` and `[]` for all it knows in a whole answer, and leaves them out of a stream.
 */
function told(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^n=\d+$/, 'n=1')
  if (Array.isArray(value)) return value.map(told)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([name, field]) => [name, told(field)] as const)
  return Object.fromEntries(fields.filter(([name, field]) => name !== 'id' && name !== 'created' && saysSomething(field)))
}

/** llama-server has `''` where others have null: no text beside calls. */
const saysSomething = (value: unknown) => value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)

/** One stream read twice: ids and times are the same. The client does not know reasoning, and keeps the last of its deltas. */
function said(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(said)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([name, field]) => [name, said(field)] as const)
  return Object.fromEntries(fields.filter(([name, field]) => !name.startsWith('reasoning') && saysSomething(field)))
}
