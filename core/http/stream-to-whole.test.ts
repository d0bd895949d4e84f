import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../testing/random.ts'
import type { JsonObject } from './json-object.ts'
import { toWhole } from './stream-to-whole.ts'
import { toEvents } from './whole-to-stream.ts'

const encoder = new TextEncoder()
const event = (json: unknown) => `data: ${JSON.stringify(json)}\n\n`
const done = 'data: [DONE]\n\n'
const head = { id: 'c-1', object: 'chat.completion.chunk', created: 9, model: 'm' }
const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 }

type Operation = 'chat.completions' | 'completions'
const whole = (text: string, operation: Operation = 'chat.completions') => toWhole(encoder.encode(text), { operation })
const chunk = (choices: readonly unknown[], more: JsonObject = {}) => event({ ...head, choices, ...more })
const delta = (fields: JsonObject, more: JsonObject = {}) => chunk([{ index: 0, delta: fields, finish_reason: null, ...more }])
const stop = (reason = 'stop') => delta({}, { finish_reason: reason }) + done
const messageOf = (...deltas: JsonObject[]) => {
  const answer = whole(deltas.map(fields => delta(fields)).join('') + stop())
  return (answer?.choices as [{ message: unknown }] | undefined)?.[0].message
}
const choiceOf = (...choices: JsonObject[]) => {
  const answer = whole(choices.map(fields => delta({}, fields)).join('') + done)
  return (answer?.choices as [JsonObject] | undefined)?.[0]
}
const called = (...calls: JsonObject[]) => ({ tool_calls: calls })

describe('a chat', () => {
  test('as OpenAI streams it', () => {
    const more = { service_tier: 'default', system_fingerprint: 'fp', usage: null, obfuscation: 'xyz' }
    const part = (fields: JsonObject, finish_reason: string | null = null) =>
      chunk([{ index: 0, delta: fields, logprobs: null, finish_reason }], more)
    const text = [
      part({ role: 'assistant', content: '', refusal: null }),
      ': ping\n\n',
      part({ content: 'Hé' }),
      part({ content: '🙂' }).replaceAll('\n', '\r\n'),
      'data:\n\n',
      part({}, 'stop'),
      chunk([], { ...more, usage }),
      done,
      'data: oops\n\n',
    ].join('')
    const answer = whole(text)
    expect(answer).toStrictEqual({
      id: 'c-1',
      object: 'chat.completion',
      created: 9,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hé🙂', refusal: null }, logprobs: null, finish_reason: 'stop' }],
      service_tier: 'default',
      system_fingerprint: 'fp',
      usage,
    })
    expect(Object.keys(answer as object)).toEqual([
      ...['id', 'object', 'created', 'model', 'choices', 'service_tier', 'system_fingerprint', 'usage'],
    ])
  })

  test('unknown fields: of the answer the last that says something; in a delta texts and lists grow', () => {
    const text = [
      event({ ...head, choices: [], prompt_filter_results: [{ prompt_index: 0 }], timings: null, seen: [1] }),
      chunk([{ index: 0, delta: { role: 'assistant', content: 'a', thoughts: 'x', list: [1], level: 1, channel: 'final' } }], {
        seen: [1],
      }),
      chunk([{ index: 0, delta: { thoughts: 'y', list: [2], level: 2, channel: 'final', none: null } }], { timings: null }),
      chunk([{ index: 0, delta: {}, finish_reason: 'stop' }], { timings: { predicted_n: 2 } }),
      chunk([], { timings: null, usage }),
      done,
    ].join('')
    expect(whole(text)).toStrictEqual({
      ...head,
      object: 'chat.completion',
      prompt_filter_results: [{ prompt_index: 0 }],
      timings: { predicted_n: 2 },
      seen: [1],
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'a', thoughts: 'xy', list: [1, 2], level: 2, channel: 'final', none: null },
          finish_reason: 'stop',
        },
      ],
      usage,
    })
  })

  test('reasoning under both names, a refusal, annotations', () => {
    expect(
      messageOf(
        { role: 'assistant', content: '', reasoning: null },
        { reasoning: 'let ', reasoning_content: 'let ', content: null },
        { reasoning: 'me', reasoning_content: 'me' },
        { content: 'seen', annotations: [{ type: 'url_citation' }] },
        { annotations: [{ type: 'other' }] },
      ),
    ).toStrictEqual({
      role: 'assistant',
      content: 'seen',
      reasoning: 'let me',
      reasoning_content: 'let me',
      annotations: [{ type: 'url_citation' }, { type: 'other' }],
    })
    expect(messageOf({ role: 'assistant', content: '' }, { refusal: 'I ' }, { refusal: 'cannot' })).toStrictEqual({
      role: 'assistant',
      content: null,
      refusal: 'I cannot',
    })
  })

  test('without a word: what was said of the text stays', () => {
    expect(messageOf({ role: 'assistant', content: '' })).toStrictEqual({ role: 'assistant', content: '' })
    expect(messageOf({ role: 'assistant', content: null })).toStrictEqual({ role: 'assistant', content: null })
    expect(messageOf({})).toStrictEqual({ role: 'assistant', content: null })
  })

  test('parts, and texts behind them', () => {
    const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }
    expect(messageOf({ content: '' }, { content: [thinking] }, { content: '' }, { content: 'a' }, { content: 'b' })).toMatchObject({
      content: [thinking, { type: 'text', text: 'ab' }],
    })
    expect(messageOf({ content: 'a' }, { content: [thinking] })).toMatchObject({ content: [{ type: 'text', text: 'a' }, thinking] })
  })

  test('several choices, mixed, and in the wrong order', () => {
    const part = (index: number, content: string, finish_reason: string | null = null) =>
      chunk([{ index, delta: { content }, finish_reason }])
    const text = part(1, 'b1') + part(0, 'a1') + part(1, 'b2', 'length') + part(0, 'a2', 'stop') + done
    expect(whole(text)?.choices).toStrictEqual([
      { index: 0, message: { role: 'assistant', content: 'a1a2' }, finish_reason: 'stop' },
      { index: 1, message: { role: 'assistant', content: 'b1b2' }, finish_reason: 'length' },
    ])
  })

  test('fields of a choice: lists grow, words do not', () => {
    expect(
      choiceOf(
        { token_ids: [1], stop_reason: null, native_finish_reason: null },
        { token_ids: [2, 3], native_finish_reason: 'stop', content_filter_results: { a: 1 } },
        { finish_reason: 'stop', stop_reason: null, native_finish_reason: 'stop', content_filter_results: {} },
      ),
    ).toStrictEqual({
      index: 0,
      message: { role: 'assistant', content: null },
      finish_reason: 'stop',
      token_ids: [1, 2, 3],
      stop_reason: null,
      native_finish_reason: 'stop',
      content_filter_results: {},
    })
  })

  test('logprobs', () => {
    const [a, b, c] = ['a', 'b', 'c'].map(token => ({ token, logprob: -1, bytes: [1], top_logprobs: [] }))
    expect(
      choiceOf(
        { logprobs: null },
        { logprobs: { content: [a], refusal: null } },
        { logprobs: { content: [b, c], refusal: null } },
        { finish_reason: 'stop', logprobs: null },
      ),
    ).toMatchObject({ logprobs: { content: [a, b, c], refusal: null } })
    expect(choiceOf({ logprobs: { content: null, refusal: [a] } }, { finish_reason: 'stop', logprobs: { refusal: [b] } })).toMatchObject({
      logprobs: { content: null, refusal: [a, b] },
    })
  })

  test('sound: pieces that were encoded one by one have padding inside', () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    const made = (...data: string[]) =>
      messageOf(
        { role: 'assistant', content: null, audio: { id: 'a_1', transcript: 'on' } },
        { audio: { transcript: 'e' } },
        ...data.map(piece => ({ audio: { data: piece } })),
        { audio: { expires_at: 99 } },
      )
    const audio = { id: 'a_1', transcript: 'one', expires_at: 99 }
    expect(made(base64('sound'), base64('less'))).toStrictEqual({
      role: 'assistant',
      content: null,
      audio: { ...audio, data: base64('soundless') },
    })
    expect(made(base64('soundless').slice(0, 5), base64('soundless').slice(5))).toMatchObject({ audio: { data: base64('soundless') } })
  })
})

describe('tool calls', () => {
  const first = { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }

  test('arguments are put together; no index is left, and no text', () => {
    expect(
      messageOf(
        { role: 'assistant', content: '' },
        called(first),
        called({ index: 0, function: { arguments: '{"x"' } }, { index: 1, id: 'b', type: 'function', function: { name: 'g' } }),
        called({ index: 0, function: { arguments: ':1}' } }),
        called({ index: 1, function: { arguments: '{}' }, extra_content: { signature: 's' } }),
      ),
    ).toStrictEqual({
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
        { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' }, extra_content: { signature: 's' } },
      ],
    })
  })

  test('in the order of their indexes; a name in pieces; no arguments at all', () => {
    const late = { index: 1, id: 'b', type: 'function', function: { name: 'get_' } }
    expect(messageOf(called(late), called({ index: 1, function: { name: 'time' } }), called({ ...first, index: 0 }))).toMatchObject({
      tool_calls: [{ id: 'a' }, { id: 'b', function: { name: 'get_time', arguments: '{}' } }],
    })
  })

  test('a custom tool, a legacy call', () => {
    expect(
      messageOf(called({ index: 0, id: 'a', type: 'custom', custom: { name: 'sql', input: 'select' } }), {
        ...called({ index: 0, custom: { input: ' 1' } }),
      }),
    ).toMatchObject({ tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'sql', input: 'select 1' } }] })
    expect(
      messageOf({ content: '' }, { function_call: { name: 'f', arguments: '' } }, { function_call: { arguments: '{}' } }),
    ).toStrictEqual({
      role: 'assistant',
      content: null,
      function_call: { name: 'f', arguments: '{}' },
    })
  })

  test('an empty list is a list; text before calls stays', () => {
    expect(messageOf({ content: 'hi' }, { tool_calls: [] })).toStrictEqual({ role: 'assistant', content: 'hi', tool_calls: [] })
    expect(messageOf({ content: 'checking ' }, called(first))).toMatchObject({ content: 'checking ', tool_calls: [{ id: 'a' }] })
  })

  test('an empty text beside the calls was meant, as Ollama and llama-server mean it', () => {
    expect(messageOf({ role: 'assistant', content: '', ...called(first) })).toMatchObject({ content: '' })
  })
})

test('a completion', () => {
  const part = (text: string, more: JsonObject = {}) =>
    event({ ...head, object: 'text_completion', choices: [{ index: 0, text, logprobs: null, finish_reason: null, ...more }] })
  const probs = (token: string, at: number) => ({
    logprobs: { tokens: [token], token_logprobs: [-1], top_logprobs: [{ [token]: -1 }], text_offset: [at] },
  })
  const text =
    part('a ', { ...probs('a ', 0), reasoning: 'h' }) +
    part('b', { ...probs('b', 2), reasoning: 'm' }) +
    part('', { finish_reason: 'length', stop_reason: null }) +
    event({ ...head, object: 'text_completion', choices: [], usage }) +
    done
  expect(whole(text, 'completions')).toStrictEqual({
    ...head,
    object: 'text_completion',
    choices: [
      {
        index: 0,
        text: 'a b',
        logprobs: { tokens: ['a ', 'b'], token_logprobs: [-1, -1], top_logprobs: [{ 'a ': -1 }, { b: -1 }], text_offset: [0, 2] },
        finish_reason: 'length',
        reasoning: 'hm',
        stop_reason: null,
      },
    ],
    usage,
  })
})

describe('not whole', () => {
  const content = delta({ role: 'assistant', content: 'a' })
  const streams: Record<string, string> = {
    'nothing at all': '',
    'only [DONE]': done,
    'no [DONE]': content + delta({}, { finish_reason: 'stop' }),
    'no finish_reason': content + done,
    'one choice of two without its end': content + chunk([{ index: 1, delta: { content: 'b' } }]) + stop(),
    'an error': content + event({ error: { message: 'boom' } }) + done,
    'an error behind the end': content + delta({}, { finish_reason: 'stop' }) + event({ error: { message: 'boom' } }) + done,
    'an error by name': `${content}event: error\ndata: {}\n\n${stop()}`,
    'an error without data': `${content}error: {"message":"boom"}\n\n${stop()}`,
    'an error by vLLM': content + event({ object: 'error', message: 'boom' }) + stop(),
    'not JSON': `${content}data: {"id":\n\n${stop()}`,
    'cut in the last event': (content + stop()).slice(0, -5),
  }
  for (const [name, stream] of Object.entries(streams)) test(name, () => expect(whole(stream)).toBeUndefined())

  test('the newlines at its end are not missed', () => expect(whole((content + stop()).trimEnd())).toBeDefined())
  test('odd deltas do not matter', () => {
    for (const odd of [
      { audio: 'x' },
      { audio: { data: 'x' } },
      { tool_calls: ['x', null] },
      { tool_calls: 'x' },
      { function_call: 1 },
      null,
      'x',
    ]) {
      for (const other of [
        { audio: { data: 'y' } },
        { audio: 'y' },
        { tool_calls: [{ index: 0, function: 'x' }] },
        { function_call: {} },
      ]) {
        const text = delta(odd as JsonObject) + delta(other) + delta(odd as JsonObject) + stop()
        expect(whole(text)).toMatchObject({ choices: [{ finish_reason: 'stop' }] })
      }
    }
  })
})

describe('is toEvents backwards', () => {
  test.each([true, false])('for random answers (chat: %p)', chat => {
    for (let seed = 0; seed < 400; seed++) {
      const answer = randomAnswer(seededRandom(seed), chat)
      const text = toEvents(answer, { chat, includeUsage: true })
      const back = whole(text, chat ? 'chat.completions' : 'completions')
      expect(back, `seed ${seed}`).toStrictEqual(answer)
      expect(toEvents(back as JsonObject, { chat, includeUsage: true }).length, `seed ${seed}`).toBe(text.length)
    }
  })

  test('numbers that a server gave its calls are put right', () => {
    const call = (id: string) => ({ index: 0, id, type: 'function', function: { name: 'f', arguments: '{}' } })
    const message = { role: 'assistant', content: null, tool_calls: [call('a'), call('b')] }
    const text = toEvents({ ...head, choices: [{ index: 0, message, finish_reason: 'tool_calls' }] }, { chat: true, includeUsage: true })
    const calls = [call('a'), call('b')].map(({ index: _, ...rest }) => rest)
    expect(whole(text)?.choices).toMatchObject([{ message: { tool_calls: calls } }])
  })
})

/** An answer as servers give them; fields come and go. */
function randomAnswer(random: () => number, chat: boolean): JsonObject {
  const pick = <T>(...values: T[]): T => values[Math.floor(random() * values.length)] as T
  const text = () => pick('', 'a', 'héllo 世界 🙂', 'line\n\nline', 'data: [DONE]', '"usage"', 'x'.repeat(300))
  const maybe = (fields: () => JsonObject): JsonObject => (random() < 0.4 ? fields() : {})
  const list = <T>(make: () => T, most = 4): T[] => Array.from({ length: Math.floor(random() * (most + 1)) }, make)
  const token = () => ({ token: text(), logprob: -random(), bytes: pick(null, [1, 2]), top_logprobs: [] })
  const call = () =>
    pick<JsonObject>(
      {
        id: `call_${random()}`,
        type: 'function',
        function: { name: 'f', arguments: pick('{}', '', '{"a":"é"}') },
        ...maybe(() => ({ extra: 1 })),
      },
      { id: `call_${random()}`, type: 'custom', custom: { name: 'g', input: text() } },
    )
  const message = () => ({
    role: 'assistant',
    content: pick<unknown>(null, text(), [{ type: 'text', text: text() }]),
    ...maybe(() => ({ reasoning_content: text() })),
    ...maybe(() => ({ reasoning: pick(null, text()) })),
    ...maybe(() => ({ refusal: pick(null, text()) })),
    ...maybe(() => ({
      annotations: pick(
        null,
        list(() => ({ type: 'url_citation' })),
      ),
    })),
    ...maybe(() => ({ tool_calls: list(call) })),
    ...maybe(() => ({ function_call: pick(null, { name: 'f', arguments: '{}' }) })),
    ...maybe(() => ({ audio: pick(null, { id: 'a', data: 'aGk=', transcript: text(), expires_at: 1 }) })),
    ...maybe(() => ({ unknown: pick<unknown>(text(), 1, true, { a: [1] }, [1, 2]) })),
  })
  const chatLogprobs = () => ({ content: pick(null, list(token)), refusal: pick(null, list(token)) })
  const textLogprobs = () => ({ tokens: list(text), token_logprobs: list(random), top_logprobs: pick(null, [{ a: -1 }]), text_offset: [0] })
  const choice = (_: unknown, index: number) => ({
    index,
    ...(chat ? { message: message() } : { text: text() }),
    ...maybe(() => ({ logprobs: pick(null, chat ? chatLogprobs() : textLogprobs()) })),
    ...maybe(() => ({ stop_reason: pick<unknown>(null, 'word', 7) })),
    ...maybe(() => ({ token_ids: pick(null, [1, 2, 3]) })),
    finish_reason: pick('stop', 'length', 'tool_calls', 'content_filter'),
  })
  return {
    id: 'c-1',
    object: chat ? 'chat.completion' : 'text_completion',
    created: 9,
    model: 'm',
    choices: Array.from({ length: 1 + Math.floor(random() * 3) }, choice),
    ...maybe(() => ({ usage: { ...usage, prompt_tokens_details: pick(null, { cached_tokens: 1 }) } })),
    ...maybe(() => ({ system_fingerprint: pick(null, 'fp') })),
    ...maybe(() => ({ service_tier: 'default' })),
    ...maybe(() => ({ prompt_filter_results: list(() => ({ a: 1 })) })),
    ...maybe(() => ({ timings: { predicted_ms: random() } })),
  }
}
