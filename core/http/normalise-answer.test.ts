import { expect, test } from 'bun:test'
import { type NormaliseOptions, normaliseAnswer } from './normalise.ts'

type Json = Record<string, unknown>

interface Answer extends Json {
  readonly choices: [{ readonly message: { readonly tool_calls: Json[] }; readonly finish_reason: string }]
}

function run(json: unknown, change: Partial<NormaliseOptions> = {}) {
  const usage = { promptTokens: 100, completionTokens: 10 }
  let ids = 0
  const options: NormaliseOptions = {
    operation: 'chat.completions',
    model: 'm',
    includeUsage: false,
    usage,
    newId: () => `new${ids++}`,
    now: () => 5_000,
    ...change,
  }
  const answer = normaliseAnswer(JSON.parse(JSON.stringify(json)), options)
  return { ...answer, json: answer.json as Answer, usage }
}

const answer = (message: Json, finish_reason: unknown = 'stop', more: Json = {}): Json => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 9,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason }],
  usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12, completion_tokens_details: { reasoning_tokens: 2 } },
  ...more,
})
const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }

test('a clean answer is left alone and counted', () => {
  for (const clean of [
    answer({ content: 'hi', reasoning: 'r' }),
    answer({ tool_calls: [call] }, 'tool_calls'),
    answer({ function_call: {} }, 'function_call'),
  ]) {
    expect<unknown>(run(clean)).toEqual({ json: clean, changed: false, usage: { promptTokens: 107, completionTokens: 15 } })
  }
})

test('the model is the name the client asked for', () => {
  expect(run(answer({ content: 'hi' }), { model: 'smart' })).toMatchObject({ changed: true, json: { model: 'smart' } })
})

test('id, object, created, index, role, content and finish_reason are filled in', () => {
  expect<unknown>(run({ choices: [{ message: {} }] })).toEqual({
    changed: true,
    json: {
      id: 'chatcmpl-new0',
      object: 'chat.completion',
      created: 5,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: null }, finish_reason: 'stop' }],
    },
    usage: { promptTokens: 100, completionTokens: 10 },
  })
})

test('completions', () => {
  expect<unknown>(run({ choices: [{ text: 'a' }] }, { operation: 'completions' }).json).toEqual({
    id: 'cmpl-new0',
    object: 'text_completion',
    created: 5,
    model: 'm',
    choices: [{ index: 0, text: 'a', finish_reason: 'stop' }],
  })
})

test('tool calls: ids, type, arguments, finish_reason', () => {
  const tool_calls = [
    { function: { name: 'f', arguments: { a: 1 } } },
    { ...call, id: '' },
    call,
    call,
    { id: 'b', type: 'custom', custom: { name: 'g', input: '' } },
    { id: 'c', type: 'function', function: { name: 'h' } },
  ]
  const { json, changed } = run(answer({ tool_calls }, 'stop'))
  expect(changed).toBe(true)
  expect(json.choices[0].finish_reason).toBe('tool_calls')
  expect(json.choices[0].message.tool_calls).toEqual([
    { id: 'call_new0', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
    { ...call, id: 'call_new1' },
    call,
    { ...call, id: 'call_new2' },
    { id: 'b', type: 'custom', custom: { name: 'g', input: '' } },
    { id: 'c', type: 'function', function: { name: 'h', arguments: '{}' } },
  ])
})

test('a missing finish_reason after tool calls; an empty list is none', () => {
  expect(run(answer({ tool_calls: [call] }, null)).json.choices[0].finish_reason).toBe('tool_calls')
  expect(run(answer({ content: 'x', tool_calls: [] }, '')).json.choices[0].finish_reason).toBe('stop')
})

test('usage without its total', () => {
  const { json, usage } = run(answer({}, 'stop', { usage: { prompt_tokens: 7, completion_tokens: 5 } }))
  expect(json.usage).toEqual({ prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 })
  expect(usage).toEqual({ promptTokens: 107, completionTokens: 15 })
})

test('what is not an answer is left alone', () => {
  for (const json of [null, 'text', [], { error: { message: 'no' } }]) expect(run(json)).toMatchObject({ json, changed: false })
})
