import { describe, expect, test } from 'bun:test'
import { everySplit } from '../testing/split-bytes.ts'
import { createNormaliser, type NormaliseOptions } from './normalise.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

type Json = Record<string, unknown>

interface Chunk extends Json {
  readonly choices: {
    index: number
    delta: { role?: string; tool_calls?: { index: number; id?: string }[] }
    finish_reason?: string | null
  }[]
}
type Change = Partial<NormaliseOptions>

function open(change: Change = {}) {
  const usage = { promptTokens: 0, completionTokens: 0 }
  let ids = 0
  const normaliser = createNormaliser({
    operation: 'chat.completions',
    model: 'm',
    includeUsage: false,
    usage,
    newId: () => `new${ids++}`,
    now: () => 5_000,
    ...change,
  })
  return { normaliser, usage }
}

function runChunks(chunks: Uint8Array[], change?: Change) {
  const { normaliser, usage } = open(change)
  const pieces = chunks.map(chunk => normaliser.feed(chunk))
  pieces.push(normaliser.end())
  return { text: decoder.decode(Buffer.concat(pieces)), failure: normaliser.failure, started: normaliser.started, usage }
}
const run = (stream: string, change?: Change) => runChunks([encoder.encode(stream)], change)

const event = (json: unknown) => `data: ${JSON.stringify(json)}\n\n`
const done = 'data: [DONE]\n\n'
const envelope = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 9, model: 'm' }
const chunk = (choices: unknown, more: Json = {}) => event({ ...envelope, choices, ...more })
const delta = (fields: Json, finish_reason: string | null = null, index = 0) => chunk([{ index, delta: fields, finish_reason }])
const role = delta({ role: 'assistant', content: '' })
const hello = delta({ content: 'Hé🙂' })
const stop = delta({}, 'stop')
const counts = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 }
const usageChunk = chunk([], { usage: counts })
const calls = (...tool_calls: Json[]) => delta({ tool_calls })

/** The JSON of every data event but [DONE]. */
const sent = (text: string): Chunk[] =>
  text
    .split('\n\n')
    .filter(block => block.startsWith('data: {'))
    .map(block => JSON.parse(block.slice(6)))
const sentCalls = (text: string) => sent(text).flatMap(json => json.choices[0]?.delta.tool_calls ?? [])
const reasons = (text: string) => sent(text).flatMap(json => json.choices.map(choice => choice.finish_reason ?? undefined).filter(Boolean))

describe('a clean stream comes out byte for byte', () => {
  const extra = chunk([{ index: 0, delta: { content: 'x', reasoning: 'r' }, logprobs: { content: [] }, finish_reason: null }], {
    system_fingerprint: 'fp',
    service_tier: 'default',
    timings: { predicted_n: 1 },
    usage: null,
  })
  const streams: Record<string, string> = {
    plain: role + hello + stop + done,
    'comments, odd spacing and CRLF': `: ping\n\n${role.replace('data: ', 'data:')}\n${hello.replace('\n\n', '\r\n\r\n')}retry: 5\n\n${stop}${done}`,
    'unknown fields': role + extra + stop + done,
    reasoning_content: role + delta({ reasoning_content: 'hm' }) + stop + done,
    'two choices': role + delta({ role: 'assistant' }, null, 1) + delta({}, 'length', 1) + stop + done,
    'tool calls':
      role +
      calls({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }) +
      calls({ index: 0, function: { arguments: '{}' } }) +
      calls({ index: 1, id: 'b', type: 'function', function: { name: 'f', arguments: '{}' } }) +
      delta({}, 'tool_calls') +
      done,
    'a custom tool call':
      role + calls({ index: 0, id: 'a', type: 'custom', custom: { name: 'f', input: 'x' } }) + delta({}, 'tool_calls') + done,
    'a legacy function call': role + delta({ function_call: { name: 'f', arguments: '{}' } }) + delta({}, 'function_call') + done,
  }
  for (const [name, stream] of Object.entries(streams)) {
    test(name, () => expect(run(stream)).toMatchObject({ text: stream, failure: undefined, started: true }))
  }

  test('with the usage that the client asked for', () => {
    const stream = role + hello + stop + usageChunk + done
    expect(run(stream, { includeUsage: true })).toMatchObject({ text: stream, usage: { promptTokens: 7, completionTokens: 5 } })
  })

  test('completions', () => {
    const text = (text: string, finish_reason: string | null) =>
      event({ ...envelope, id: 'cmpl-1', object: 'text_completion', choices: [{ index: 0, text, logprobs: null, finish_reason }] })
    const stream = text('a', null) + text('', 'stop') + done
    expect(run(stream, { operation: 'completions' }).text).toBe(stream)
  })

  test('a chunk of whole events is forwarded as it is', () => {
    const { normaliser } = open()
    normaliser.feed(encoder.encode(role))
    const bytes = encoder.encode(hello)
    expect(normaliser.feed(bytes).buffer).toBe(bytes.buffer)
  })
})

describe('the cuts do not matter', () => {
  const messy = [
    `\uFEFF: hi\r\n\r\n${event({ choices: [], prompt_filter_results: [], id: '' })}`,
    event({ choices: [{ delta: { content: 'é世🙂' } }], model: 'x', usage: { prompt_tokens: 7, completion_tokens: 1 } }).replace(
      '\n\n',
      '\r\n\r\n',
    ),
    event({
      id: 'later',
      choices: [{ index: 0, delta: { role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: { a: 'é' } } }] } }],
    }),
    event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
    event({ choices: [], usage: counts }),
  ].join('')
  const streams: Record<string, string> = {
    clean: role + hello + stop + done,
    messy: messy + done,
    'without [DONE]': messy,
    'without its last newlines': (messy + done).trimEnd(),
    'cut off': role + hello.slice(0, -9),
    broken: `${role}data: oops\n\n${hello}`,
    failing: `${role + hello}event: error\ndata: {"error":{"message":"é"}}\n\n${hello}`,
  }
  for (const [name, stream] of Object.entries(streams)) {
    test(name, () => {
      const bytes = encoder.encode(stream)
      const whole = runChunks([bytes], { includeUsage: true })
      // What came out needs no further repair.
      if (!whole.failure) expect(run(whole.text, { includeUsage: true })).toEqual(whole)
      for (const chunks of everySplit(bytes, 30)) expect(runChunks(chunks, { includeUsage: true })).toEqual(whole)
    })
  }
})

describe('id, object, created, model', () => {
  test('the first id and created stay', () => {
    const other = event({
      ...envelope,
      id: 'chatcmpl-2',
      created: 10,
      choices: [{ index: 0, delta: { content: 'Hé🙂' }, finish_reason: null }],
    })
    expect(run(role + other + stop + done).text).toBe(role + hello + stop + done)
  })

  test('what is missing is filled in and stays the same', () => {
    const bare =
      event({ choices: [{ index: 0, delta: { role: 'assistant' } }] }) +
      event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) +
      done
    for (const json of sent(run(bare).text)) expect(json).toMatchObject({ ...envelope, id: 'chatcmpl-new0', created: 5 })
    for (const json of sent(run(bare, { operation: 'completions' }).text))
      expect(json).toMatchObject({ id: 'cmpl-new0', object: 'text_completion' })
  })

  test('the model is the name the client asked for', () => {
    const { text } = run(role + hello + stop + done, { model: 'smart' })
    expect(text).toBe((role + hello + stop + done).replaceAll('"model":"m"', '"model":"smart"'))
  })

  test("Azure's prompt_filter_results get the id of the chunks behind them", () => {
    const filter = { choices: [], created: 0, id: '', model: '', object: '', prompt_filter_results: [{ prompt_index: 0 }] }
    const { text, started } = run(event(filter) + role + hello + stop + done)
    expect(started).toBe(true)
    expect(text).toBe(event({ ...filter, ...envelope }) + role + hello + stop + done)
  })

  test('such a chunk is not lost when nothing follows it', () => {
    expect(sent(run(event({ choices: [], note: 1 }) + done).text)[0]).toMatchObject({ id: 'chatcmpl-new0', note: 1 })
  })

  test('later chunks without choices pass', () => {
    const filter = chunk([], { content_filter_results: {} })
    expect(run(role + filter + stop + done).text).toBe(role + filter + stop + done)
  })

  test('missing choices and choice indexes', () => {
    const bare = event({ ...envelope, choices: [{ delta: { role: 'assistant' } }, { delta: { role: 'assistant' } }] })
    const [first, second] = sent(run(bare + event({ ...envelope, note: 1 }) + done).text)
    expect(first?.choices.map(choice => choice.index)).toEqual([0, 1])
    expect(second).toEqual({ ...envelope, note: 1, choices: [] })
  })
})

describe('role', () => {
  test('is added to the first delta of each choice and taken off the later ones', () => {
    const both = (fields: Json) => chunk([0, 1].map(index => ({ index, delta: fields, finish_reason: null })))
    const { text } = run(both({ content: 'a' }) + both({ role: 'assistant', content: 'b' }) + done)
    const roles = sent(text).map(json => json.choices.map(choice => choice.delta.role))
    expect(roles).toEqual([
      ['assistant', 'assistant'],
      [undefined, undefined],
      [undefined, undefined],
    ])
  })

  test('a wrong one is set right, a missing delta made', () => {
    expect(sent(run(delta({ role: '' }) + done).text)[0]?.choices[0]?.delta).toEqual({ role: 'assistant' })
    expect(sent(run(chunk([{ index: 0 }]) + done).text)[0]?.choices[0]?.delta).toEqual({ role: 'assistant' })
  })
})

describe('finish_reason', () => {
  test('a repeated one becomes null', () => {
    expect(run(role + stop + stop + delta({}, 'length') + done).text).toBe(role + stop + delta({}) + delta({}) + done)
  })

  test('an empty one is null', () =>
    expect(run(delta({ role: 'assistant' }, '') + stop + done).text).toBe(delta({ role: 'assistant' }) + stop + done))

  test('a missing one is supplied before usage and [DONE]', () => {
    const { text } = run(role + hello + usageChunk + done, { includeUsage: true })
    const owed = chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }])
    expect(text).toBe(role + hello + owed + usageChunk + done)
  })

  test('for each choice that lacks one', () => {
    const { text } = run(role + delta({ role: 'assistant' }, null, 1) + delta({ role: 'assistant' }, 'length', 2) + done)
    expect(
      sent(text)
        .at(-1)
        ?.choices.map(choice => [choice.index, choice.finish_reason]),
    ).toEqual([
      [0, 'stop'],
      [1, 'stop'],
    ])
  })

  test('of completions too', () => {
    const text = event({ ...envelope, object: 'text_completion', choices: [{ index: 0, text: 'a' }] })
    expect<unknown>(sent(run(text + done, { operation: 'completions' }).text).at(-1)?.choices).toEqual([
      { index: 0, text: '', logprobs: null, finish_reason: 'stop' },
    ])
  })

  test('is tool_calls when calls were streamed, said or not', () => {
    const call = calls({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } })
    expect(reasons(run(role + call + stop + done).text)).toEqual(['tool_calls'])
    expect(reasons(run(role + call + done).text)).toEqual(['tool_calls'])
    expect(reasons(run(role + call + delta({}, 'length') + done).text)).toEqual(['length'])
  })

  test('an empty answer is still an answer', () => {
    expect<unknown>(sent(run(done).text)[0]?.choices).toEqual([
      { index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: 'stop' },
    ])
  })
})

describe('the end', () => {
  test('without [DONE] but finished: it is added', () => {
    expect(run(role + stop)).toMatchObject({ text: role + stop + done, failure: undefined })
    expect(run(role + stop.trimEnd())).toMatchObject({ text: role + stop + done, failure: undefined })
    expect(run(`${role + stop}data: [DO`)).toMatchObject({ text: role + stop + done, failure: undefined })
  })

  test('with neither: truncated', () => {
    const early = { message: "The model's answer ended early." }
    expect(run(role + hello)).toEqual({
      text: role + hello,
      failure: early,
      started: true,
      usage: { promptTokens: 0, completionTokens: 0 },
    })
    expect(run(role + hello.slice(0, 40))).toMatchObject({ text: role, failure: early })
    expect(run(role + delta({ role: 'assistant' }, 'stop', 1)).failure).toEqual(early)
    expect(run(': ping\n\n')).toMatchObject({ text: ': ping\n\n', failure: early, started: false })
    expect(run('')).toMatchObject({ text: '', failure: early, started: false })
  })

  test('one [DONE], and nothing behind it', () => {
    expect(run(role + stop + done + hello + done + event({ error: 'late' }))).toMatchObject({
      text: role + stop + done,
      failure: undefined,
    })
  })

  test('[DONE] leaves at once, before the upstream closes', () => {
    const { normaliser } = open()
    expect(decoder.decode(normaliser.feed(encoder.encode(role + stop + done)))).toBe(role + stop + done)
    expect(normaliser.end()).toHaveLength(0)
    expect(normaliser.feed(encoder.encode(hello))).toHaveLength(0)
  })

  test('an empty data line is not forwarded', () => expect(run(`${role}data:\n\n${stop}${done}`).text).toBe(role + stop + done))
})

describe('tool calls', () => {
  const call = (name: string, more: Json = {}): Json => ({ function: { name, arguments: '{}' }, ...more })
  const more: Json = { function: { arguments: 'x' } }
  const runCalls = (...deltas: Json[]) => sentCalls(run(role + deltas.map(one => calls(one)).join('') + done).text)
  const indexes = (...deltas: Json[]) => runCalls(...deltas).map(one => one.index)

  test('a missing index: by id, new id opens, no id goes on', () => {
    expect(indexes(call('f', { id: 'a' }), more, call('g', { id: 'b' }), more, { id: 'a', ...more })).toEqual([0, 0, 1, 1, 0])
  })

  test('index 0 for every call: another id opens another, and later deltas follow it', () => {
    expect(
      indexes(call('f', { index: 0, id: 'a' }), { index: 0, ...more }, call('f', { index: 0, id: 'b' }), { index: 0, ...more }),
    ).toEqual([0, 0, 1, 1])
  })

  test('index 0 for every call in one delta', () => {
    const both = [call('f', { index: 0, id: 'a' }), call('g', { index: 0, id: 'b' })]
    expect(sentCalls(run(role + calls(...both) + done).text).map(one => [one.index, one.id])).toEqual([
      [0, 'a'],
      [1, 'b'],
    ])
  })

  test('no index and no id: each name opens a call', () => {
    expect(indexes(call('f'), more, call('f'), call('g'))).toEqual([0, 0, 1, 2])
  })

  test('index 0 and no id: another name opens another call', () => {
    expect(indexes(call('f', { index: 0 }), call('g', { index: 0 }), { index: 0, ...more })).toEqual([0, 1, 1])
  })

  test('indexes start at 0 and have no holes', () => {
    expect(
      indexes(call('f', { index: 1, id: 'a' }), { index: 1, ...more }, call('g', { index: 3, id: 'b' }), { index: 3, ...more }),
    ).toEqual([0, 0, 1, 1])
  })

  test('indexes of two choices do not mix', () => {
    const other = chunk([{ index: 1, delta: { tool_calls: [call('g', { id: 'b' })] } }])
    expect(sentCalls(run(role + calls(call('f', { id: 'a' })) + other + done).text).map(one => one.index)).toEqual([0, 0])
  })

  test('a missing, empty or doubled id is made once', () => {
    expect(runCalls(call('f', { index: 0 }), { index: 0, ...more }, call('g', { index: 1, id: '' })).map(one => one.id)).toEqual([
      'call_new0',
      undefined,
      'call_new1',
    ])
    expect(runCalls(call('f', { index: 0, id: 'same' }), call('f', { index: 1, id: 'same' })).map(one => one.id)).toEqual([
      'same',
      'call_new0',
    ])
  })

  test('ids and names said again are taken off: SDKs that join strings would double them', () => {
    const again = { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: 'x' } }
    expect<unknown>(runCalls(call('f', { index: 0, id: 'a' }), again)[1]).toEqual({
      index: 0,
      type: 'function',
      function: { arguments: 'x' },
    })
  })

  test('an id made up for each delta (older vLLM) goes on with the same call', () => {
    expect(
      runCalls(call('f', { index: 0, id: 'a' }), { index: 0, id: 'b', ...more }, { index: 0, id: 'c', ...more }).map(one => [
        one.index,
        one.id,
      ]),
    ).toEqual([
      [0, 'a'],
      [0, undefined],
      [0, undefined],
    ])
  })

  test('type is filled in, arguments become a string', () => {
    const [first] = runCalls({ index: 0, id: 'a', function: { name: 'f', arguments: { city: 'Zürich' } } })
    expect<unknown>(first).toEqual({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"city":"Zürich"}' } })
  })
})

describe('the name of a tool that comes in pieces', () => {
  test('after an id without a name', () => {
    const stream =
      role +
      calls({ index: 0, id: 'c1', type: 'function', function: { name: '' } }) +
      calls({ index: 0, function: { name: 'get_weather' } }) +
      calls({ index: 0, function: { arguments: '{}' } })
    const deltas = sentCalls(run(stream + stop + done).text)
    expect(deltas.map(({ index }) => index)).toEqual([0, 0, 0])
    expect(deltas.filter(({ id }) => id)).toHaveLength(1)
  })

  test('in fragments', () => {
    const stream =
      role +
      calls({ index: 0, id: 'c1', type: 'function', function: { name: 'get_' } }) +
      calls({ index: 0, function: { name: 'weather' } }) +
      calls({ index: 0, function: { arguments: '{}' } })
    const deltas = sentCalls(run(stream + stop + done).text)
    expect(deltas.map(({ index }) => index)).toEqual([0, 0, 0])
  })
})

describe('usage', () => {
  test('reported for each of several choices by itself (llama-server, n: 2) is summed', () => {
    const two = event({ ...envelope, choices: [{ index: 0, delta: { role: 'assistant', content: 'a' }, finish_reason: 'stop' }] })
    const three = event({ ...envelope, choices: [{ index: 1, delta: { role: 'assistant', content: 'b' }, finish_reason: 'stop' }] })
    const { text, usage } = run(two + usageChunk + three + usageChunk + done, { includeUsage: true })
    expect(usage).toEqual({ promptTokens: 7, completionTokens: 10 })
    expect(text.match(/"usage"/g)).toHaveLength(1)
    expect(text).toContain('"completion_tokens":10,"total_tokens":17')
  })

  const counted = { promptTokens: 7, completionTokens: 5 }

  test('is counted and withheld from a client that did not ask', () => {
    expect(run(role + hello + stop + usageChunk + done)).toMatchObject({ text: role + hello + stop + done, usage: counted })
  })

  test('on the last chunk with content: taken off, and sent apart', () => {
    const last = chunk([{ index: 0, delta: {}, finish_reason: 'stop' }], {
      usage: { ...counts, prompt_tokens_details: { cached_tokens: 3 } },
    })
    expect(run(role + last + done)).toMatchObject({ text: role + stop + done, usage: counted })
    const apart = chunk([], { usage: { ...counts, prompt_tokens_details: { cached_tokens: 3 } } })
    expect(run(role + last + done, { includeUsage: true })).toMatchObject({ text: role + stop + apart + done, usage: counted })
  })

  test('on every chunk: only the last figures count', () => {
    const every = [1, 3]
      .map(completion_tokens => chunk([{ index: 0, delta: { content: 'x' } }], { usage: { prompt_tokens: 7, completion_tokens } }))
      .join('')
    const { text, usage } = run(role + every + stop + usageChunk + done, { includeUsage: true })
    expect(usage).toEqual(counted)
    expect(sent(text).filter(json => json.usage)).toEqual([{ ...envelope, choices: [], usage: counts }])
    expect(text.endsWith(stop + usageChunk + done)).toBe(true)
  })

  test('is added to what earlier rounds have counted, also when the client leaves in the middle', () => {
    const usage = { promptTokens: 100, completionTokens: 10 }
    const { normaliser } = open({ usage })
    normaliser.feed(encoder.encode(chunk([{ index: 0, delta: {} }], { usage: { prompt_tokens: 7, completion_tokens: 2 } })))
    expect(usage).toEqual({ promptTokens: 107, completionTokens: 12 })
    normaliser.feed(encoder.encode(usageChunk + usageChunk))
    expect(usage).toEqual({ promptTokens: 107, completionTokens: 15 })
  })

  test('before the last content it still goes last, and once', () => {
    expect(run(role + usageChunk + hello + usageChunk + stop + done, { includeUsage: true }).text).toBe(
      role + hello + stop + usageChunk + done,
    )
  })

  test('a missing total, other names, no choices', () => {
    const odd = event({ ...envelope, usage: { input_tokens: 7, output_tokens: 5 } })
    expect(sent(run(role + stop + odd + done, { includeUsage: true }).text).at(-1)).toMatchObject({ choices: [], usage: counts })
  })

  test('none upstream, none downstream', () => {
    expect(run(role + stop + done, { includeUsage: true })).toMatchObject({
      text: role + stop + done,
      usage: { promptTokens: 0, completionTokens: 0 },
    })
  })

  test('follows a supplied [DONE] too', () => {
    expect(run(role + stop + usageChunk, { includeUsage: true }).text).toBe(role + stop + usageChunk + done)
  })
})

describe('failures', () => {
  const failures: Record<string, [stream: string, failure: Json]> = {
    'OpenAI shape': [event({ error: { message: 'no', type: 't', code: 'c' } }), { message: 'no', type: 't', code: 'c' }],
    'llama-server, numeric code': [
      event({ error: { code: 500, message: 'no', type: 'server_error' } }),
      { message: 'no', type: 'server_error', status: 500 },
    ],
    'a text': [event({ error: 'no' }), { message: 'no' }],
    vLLM: [
      event({ object: 'error', message: 'no', type: 'BadRequestError', code: 400 }),
      { message: 'no', type: 'BadRequestError', status: 400 },
    ],
    'OpenRouter, with choices': [
      chunk([{ index: 0, delta: {}, finish_reason: 'error' }], { error: { code: 502, message: 'no' } }),
      { message: 'no', status: 502 },
    ],
    'event: error': ['event: error\ndata: {"message":"no"}\n\n', { message: 'no' }],
    'event: error with a text': ['event: error\ndata: no\n\n', { message: 'no' }],
    'no message': [event({ error: {} }), { message: 'The model backend reported an error.' }],
    'a message that names a URL': [event({ error: 'see http://10.0.0.5:8000/x' }), { message: 'see <url>' }],
    'not JSON': ['data: <html>\n\n', { message: 'The model backend sent something that is not JSON.' }],
    'not an object': ['data: 5\n\n', { message: 'The model backend sent something that is not JSON.' }],
    'error: of older llama-servers': [
      'error: {"code":503,"message":"no","type":"unavailable_error"}\n\n',
      { message: 'no', type: 'unavailable_error', status: 503 },
    ],
    'a JSON body written into the stream': ['{"error":{"message":"no"}}\n', { message: 'no' }],
    'no event stream at all': ['{"choices":[]}', { message: 'The model backend sent something that is not an event stream.' }],
  }
  for (const [name, [stream, failure]] of Object.entries(failures)) {
    test(name, () => {
      expect(run(stream)).toMatchObject({ text: '', failure, started: false })
      // What came before is forwarded, what comes after is not.
      expect(run(`${role}${stream.trimEnd()}\n\n${hello}${done}`)).toMatchObject({ text: role, failure, started: true })
    })
  }

  test('an error field that says nothing is no error', () => {
    const stream = role + chunk([{ index: 0, delta: {}, finish_reason: 'stop' }], { error: null }) + done
    expect(run(stream)).toMatchObject({ text: stream, failure: undefined })
  })

  test('a comment before the error has been sent, but the stream has not started', () => {
    expect(run(`: ping\n\n${event({ error: 'no' })}`)).toMatchObject({ text: ': ping\n\n', started: false })
  })
})
