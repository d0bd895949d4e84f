import { expect, test } from 'bun:test'
import { everySplit } from '../../testing/split-bytes.ts'
import { chatTranslator } from './chat-stream.ts'
import { type OpenBody, translateStream } from './stream.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

let ids = 0
const translator = (legacy = false) =>
  chatTranslator({ frame: { id: 'chatcmpl-1', created: 7, model: 'm' }, legacy, newId: () => `new${++ids}` })

/** A body that hands out `chunks` one per pull, then does `last`. */
function bodyOf(chunks: readonly (string | Uint8Array)[], last: 'close' | 'error' | 'hang' = 'close') {
  const seen = { pulls: 0, cancelled: false }
  const waiting = chunks.map(chunk => (typeof chunk === 'string' ? encoder.encode(chunk) : chunk))
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        seen.pulls++
        const chunk = waiting.shift()
        if (chunk) return controller.enqueue(chunk)
        if (last === 'close') return controller.close()
        if (last === 'error') return controller.error(new Error('reset'))
        return new Promise(() => {})
      },
      cancel() {
        seen.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { body, seen }
}

const line = (value: unknown) => `${JSON.stringify(value)}\n`
const says = (content: string, extra = {}) => line({ message: { role: 'assistant', content, ...extra }, done: false })
const calls = (...names: string[]) => ({ tool_calls: names.map(name => ({ function: { name, arguments: { a: name } } })) })
const done = (extra = {}) =>
  line({ message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', prompt_eval_count: 11, eval_count: 7, ...extra })

const textOf = async (stream: ReadableStream<Uint8Array>) => await new Response(stream).text()
const translate = (chunks: readonly (string | Uint8Array)[], legacy = false) =>
  textOf(translateStream(bodyOf(chunks).body, [], translator(legacy)))

interface Event {
  readonly choices: { readonly delta: Record<string, unknown>; readonly finish_reason: string | null; readonly logprobs: unknown }[]
  readonly usage?: unknown
  readonly error?: { readonly message: string }
}
const eventsOf = (text: string) =>
  text
    .split('\n\n')
    .filter(block => block !== '' && block !== 'data: [DONE]')
    .map(block => JSON.parse(block.slice('data: '.length)) as Event)
const deltasOf = (text: string) => eventsOf(text).flatMap(event => event.choices.map(choice => choice.delta))

test('a stream from its role to [DONE]', async () => {
  const text = await translate([says('Hel'), says('lo'), done()])
  const start = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 7, model: 'm' }
  const chunk = (delta: unknown, finish_reason: string | null = null) => ({
    ...start,
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  })
  expect(eventsOf(text) as unknown[]).toEqual([
    chunk({ role: 'assistant', content: 'Hel' }),
    chunk({ content: 'lo' }),
    chunk({}, 'stop'),
    { ...start, choices: [], usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 } },
  ])
  expect(text.endsWith('\n\ndata: [DONE]\n\n')).toBe(true)
})

test('the cuts of the network do not matter', async () => {
  const bytes = encoder.encode(says('é世') + says('🙂', { thinking: 'ü' }) + done())
  const whole = await translate([bytes])
  for (const chunks of everySplit(bytes)) expect(await translate(chunks)).toBe(whole)
})

test('one enqueue per chunk, at once, though several lines came in it', async () => {
  const { body } = bodyOf([says('a') + says('b'), says('c') + done()], 'hang')
  const reader = translateStream(body, [], translator()).getReader()
  expect(eventsOf(decoder.decode((await reader.read()).value))).toHaveLength(2)
  expect(decoder.decode((await reader.read()).value)).toEndWith('data: [DONE]\n\n')
})

test('nothing is read before somebody reads, and nothing ahead', async () => {
  const { body, seen } = bodyOf([says('a'), says('b'), says('c'), done()])
  const stream = translateStream(body, [], translator())
  await Bun.sleep(5)
  expect(seen.pulls).toBe(0)
  const reader = stream.getReader()
  await reader.read()
  await Bun.sleep(5)
  expect(seen.pulls).toBe(1)
})

test('leaving cancels the upstream, also while it says nothing', async () => {
  const { body, seen } = bodyOf([says('a')], 'hang')
  const reader = translateStream(body, [], translator()).getReader()
  await reader.read()
  const pending = reader.read()
  await reader.cancel()
  expect(seen.cancelled).toBe(true)
  expect((await pending).done).toBe(true)
})

test('indexes of tool calls run through the chunks, and each has an id', async () => {
  const deltas = deltasOf(await translate([says('', calls('x')), says('', calls('y', 'z')), done()]))
  const made = deltas.flatMap(delta => (delta.tool_calls ?? []) as { index: number; id: string; function: unknown }[])
  expect(made.map(({ index }) => index)).toEqual([0, 1, 2])
  expect(new Set(made.map(({ id }) => id)).size).toBe(3)
  expect(made[1]).toMatchObject({ type: 'function', function: { name: 'y', arguments: '{"a":"y"}' } })
  expect(deltas.map(delta => delta.role)).toEqual(['assistant', undefined, undefined])
})

test("Ollama's own id is kept", async () => {
  const [delta] = deltasOf(await translate([says('', { tool_calls: [{ id: 'own', function: { name: 'x' } }] }), done()]))
  expect(delta?.tool_calls).toEqual([{ index: 0, id: 'own', type: 'function', function: { name: 'x', arguments: '{}' } }])
})

const reasons: [string, string, boolean, string][] = [
  ['stop', done(), false, 'stop'],
  ['length', done({ done_reason: 'length' }), false, 'length'],
  ['load', done({ done_reason: 'load' }), false, 'stop'],
  ['none given', done({ done_reason: undefined }), false, 'stop'],
  ['calls before the last line', says('', calls('x')) + done(), false, 'tool_calls'],
  ['calls in the last line', done({ message: { content: '', ...calls('x') } }), false, 'tool_calls'],
  ['calls cut off', says('', calls('x')) + done({ done_reason: 'length' }), false, 'length'],
  ['a function call', says('', calls('x')) + done(), true, 'function_call'],
]

test.each(reasons)('finish reason: %s', async (_what, lines, legacy, reason) => {
  const finished = eventsOf(await translate([lines], legacy)).flatMap(({ choices }) => choices.map(choice => choice.finish_reason))
  expect(finished.filter(given => given !== null)).toEqual([reason])
})

test('the older form gets one function call', async () => {
  const deltas = deltasOf(await translate([says('', calls('x', 'y')), says('', calls('z')), done()], true))
  expect(deltas).toEqual([{ role: 'assistant', content: null, function_call: { name: 'x', arguments: '{"a":"x"}' } }, {}])
})

test('text in the last line is not lost', async () => {
  expect(deltasOf(await translate([done({ message: { content: 'end' } })]))).toEqual([{ role: 'assistant', content: 'end' }, {}])
})

test('an empty answer still begins with its role', async () => {
  expect(deltasOf(await translate([done()]))).toEqual([{ role: 'assistant', content: '' }, {}])
})

test('thinking has deltas of its own, under both names', async () => {
  const deltas = deltasOf(await translate([says('', { thinking: 'hm' }), says('so', { thinking: '!' }), done()]))
  expect(deltas).toEqual([
    { role: 'assistant', reasoning_content: 'hm', reasoning: 'hm' },
    { reasoning_content: '!', reasoning: '!' },
    { content: 'so' },
    {},
  ])
})

test('logprobs are completed', async () => {
  const logprobs = [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [{ token: '', logprob: -2 }] }]
  const [first] = eventsOf(await translate([line({ message: { content: 'a' }, logprobs }), done()]))
  expect(first?.choices[0]?.logprobs).toEqual({
    content: [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [{ token: '', logprob: -2, bytes: null }] }],
    refusal: null,
  })
})

const failures: [string, string, string][] = [
  ['an error Ollama reports', says('a') + line({ error: 'boom' }) + says('b'), 'boom'],
  ['a line that is no JSON', `${says('a')}{"mess\n`, 'Failed to parse response from Ollama'],
  ['a line that is no answer', says('a') + line({ status: 'pulling' }), 'Failed to parse response from Ollama'],
  ['an end without `done`', says('a'), "The model's answer ended early."],
  ['an empty body', '', "The model's answer ended early."],
]

test.each(failures)('%s becomes the last event, without [DONE]', async (_what, lines, message) => {
  const text = await translate([lines])
  expect(eventsOf(text).at(-1) as unknown).toEqual({ error: { message, type: 'server_error', param: null, code: null } })
  expect(text).not.toContain('[DONE]')
  expect(text).not.toContain('"b"')
})

test('after a failure Ollama is left', async () => {
  const { body, seen } = bodyOf([line({ error: 'boom' })], 'hang')
  await textOf(translateStream(body, [], translator()))
  expect(seen.cancelled).toBe(true)
})

test('a broken connection breaks the stream', async () => {
  const reader = translateStream(bodyOf([says('a')], 'error').body, [], translator()).getReader()
  await reader.read()
  await expect(reader.read()).rejects.toThrow('reset')
})

test('a connection that breaks after the last line does no harm', async () => {
  expect(await textOf(translateStream(bodyOf([done()], 'error').body, [], translator()))).toEndWith('data: [DONE]\n\n')
})

test('a last line without its newline counts', async () => {
  expect(await translate([says('a'), done().trimEnd()])).toEndWith('data: [DONE]\n\n')
})

test('leaving while the next answer is on its way gives that up too', async () => {
  let given: AbortSignal | undefined
  const never: OpenBody = left => {
    given = left
    return new Promise((_resolve, reject) => left.addEventListener('abort', () => reject(left.reason)))
  }
  const reader = translateStream(bodyOf([says('a') + done()]).body, [never], translator()).getReader()
  await reader.read()
  const pending = reader.read()
  await Bun.sleep(1)
  await reader.cancel()
  expect(given?.aborted).toBe(true)
  expect((await pending).done).toBe(true)
})
