import { expect, test } from 'bun:test'
import type { GatewayError } from '../../errors.ts'
import { toChatRequest } from './chat-request.ts'

const messages = [{ role: 'user', content: 'hi' }]
const translate = (fields: Record<string, unknown>) => toChatRequest({ model: 'gpt', messages, ...fields }, 'm')
const refusal = (fields: Record<string, unknown>): GatewayError => {
  try {
    translate(fields)
  } catch (error) {
    return error as GatewayError
  }
  throw new Error(`accepted ${JSON.stringify(fields)}`)
}

test('nothing is added to a plain request but the stream flag, which Ollama takes for true', () => {
  expect(translate({})).toEqual({ body: { model: 'm', messages, stream: false }, stream: false, legacy: false, ignored: [] })
})

const schema = { type: 'object', properties: { ok: { type: 'boolean' } } }

const mapped: [Record<string, unknown>, Record<string, unknown>][] = [
  [{ stream: true, stream_options: { include_usage: true } }, { stream: true }],
  [{ temperature: 0 }, { options: { temperature: 0 } }],
  [{ top_p: 0.5 }, { options: { top_p: 0.5 } }],
  [{ max_tokens: 5 }, { options: { num_predict: 5 } }],
  [{ max_completion_tokens: 6 }, { options: { num_predict: 6 } }],
  [{ max_tokens: 5, max_completion_tokens: 6 }, { options: { num_predict: 6 } }],
  [{ max_completion_tokens: 6, max_tokens: 5 }, { options: { num_predict: 6 } }],
  [{ num_predict: -1, max_tokens: 5 }, { options: { num_predict: 5 } }],
  [{ stop: 'x' }, { options: { stop: ['x'] } }],
  [{ stop: ['x', 'y'] }, { options: { stop: ['x', 'y'] } }],
  [{ seed: 1 }, { options: { seed: 1 } }],
  [{ frequency_penalty: 0.1 }, { options: { frequency_penalty: 0.1 } }],
  [{ presence_penalty: -0.1 }, { options: { presence_penalty: -0.1 } }],
  [{ top_k: 40 }, { options: { top_k: 40 } }],
  [{ min_p: 0.05 }, { options: { min_p: 0.05 } }],
  [{ typical_p: 0.9 }, { options: { typical_p: 0.9 } }],
  [{ repeat_penalty: 1.1 }, { options: { repeat_penalty: 1.1 } }],
  [{ repeat_last_n: 64 }, { options: { repeat_last_n: 64 } }],
  [{ num_ctx: 8192 }, { options: { num_ctx: 8192 } }],
  [{ use_mmap: false }, { options: { use_mmap: false } }],
  [{ options: { num_ctx: 1, mirostat: 2 } }, { options: { num_ctx: 1, mirostat: 2 } }],
  [{ options: { temperature: 1, stop: 'a' }, temperature: 0 }, { options: { temperature: 0, stop: ['a'] } }],
  [{ keep_alive: '5m' }, { keep_alive: '5m' }],
  [{ keep_alive: -1 }, { keep_alive: -1 }],
  [
    { truncate: false, shift: true },
    { truncate: false, shift: true },
  ],
  [{ think: false }, { think: false }],
  [{ think: 'high' }, { think: 'high' }],
  [{ reasoning_effort: 'none' }, { think: false }],
  [{ reasoning_effort: 'minimal' }, { think: 'low' }],
  [{ reasoning_effort: 'medium' }, { think: 'medium' }],
  [{ reasoning_effort: 'xhigh' }, { think: 'max' }],
  [{ reasoning: { effort: 'low' } }, { think: 'low' }],
  [{ reasoning: { effort: 'low' }, reasoning_effort: 'high' }, { think: 'low' }],
  [{ reasoning_effort: 'high', think: false }, { think: false }],
  [{ response_format: { type: 'text' } }, {}],
  [{ response_format: { type: 'json_object' } }, { format: 'json' }],
  [{ response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } }, { format: schema }],
  [
    { logprobs: true, top_logprobs: 3 },
    { logprobs: true, top_logprobs: 3 },
  ],
  [{ logprobs: true }, { logprobs: true }],
  [{ temperature: null, stop: null, tools: null, response_format: null, think: null, logprobs: null }, {}],
]

test.each(mapped)('%j is sent as %j', (fields, expected) => {
  const { body, ignored } = translate(fields)
  expect(body).toEqual({ model: 'm', messages, stream: false, ...expected })
  expect(ignored).toEqual([])
})

const ignored: [Record<string, unknown>, string[]][] = [
  [{ user: 'u', store: true, metadata: { a: '1' } }, ['user', 'store', 'metadata']],
  [{ parallel_tool_calls: false, service_tier: 'auto' }, ['parallel_tool_calls', 'service_tier']],
  [{ n: 1, logit_bias: {}, modalities: ['text'] }, ['n', 'logit_bias', 'modalities']],
  [{ logprobs: false }, ['logprobs']],
  [{ prediction: { type: 'content', content: 'x' }, mystery: 1 }, ['prediction', 'mystery']],
  [{ user: null, mystery: undefined }, []],
]

test.each(ignored)('%j is accepted and not sent', (fields, names) => {
  const translated = translate(fields)
  expect(translated.ignored).toEqual(names)
  expect(translated.body).toEqual({ model: 'm', messages, stream: false })
})

const refused: [Record<string, unknown>, string, string][] = [
  [{ n: 2 }, 'n', 'unsupported_parameter'],
  [{ logit_bias: { 1: 5 } }, 'logit_bias', 'unsupported_parameter'],
  [{ audio: { voice: 'alloy' } }, 'audio', 'unsupported_parameter'],
  [{ modalities: ['text', 'audio'] }, 'modalities', 'unsupported_parameter'],
  [{ web_search_options: {} }, 'web_search_options', 'unsupported_parameter'],
  [{ response_format: { type: 'grammar' } }, 'response_format.type', 'unsupported_parameter'],
  [{ reasoning_effort: 'banana' }, 'reasoning_effort', 'invalid_value'],
  [{ reasoning: { effort: 'banana' } }, 'reasoning.effort', 'invalid_value'],
  [{ max_tokens: 0 }, 'max_tokens', 'invalid_value'],
  [{ max_completion_tokens: -1 }, 'max_completion_tokens', 'invalid_value'],
  [{ messages: [] }, 'messages', 'missing_messages'],
  [{ messages: null }, 'messages', 'missing_messages'],
]

test.each(refused)('%j is a 400 that names %s', (fields, param, code) => {
  expect(refusal(fields)).toMatchObject({ status: 400, type: 'invalid_request_error', code, extra: { param } })
})

const mistyped: [Record<string, unknown>, string][] = [
  [{ temperature: 'a' }, 'temperature'],
  [{ top_p: true }, 'top_p'],
  [{ max_tokens: 1.5 }, 'max_tokens'],
  [{ max_completion_tokens: '5' }, 'max_completion_tokens'],
  [{ stop: 5 }, 'stop'],
  [{ stop: ['a', 5] }, 'stop'],
  [{ seed: 'x' }, 'seed'],
  [{ stream: 'yes' }, 'stream'],
  [{ n: 'x' }, 'n'],
  [{ logit_bias: [] }, 'logit_bias'],
  [{ options: [] }, 'options'],
  [{ options: { num_predict: 'ten' } }, 'options.num_predict'],
  [{ think: 5 }, 'think'],
  [{ keep_alive: {} }, 'keep_alive'],
  [{ logprobs: 3 }, 'logprobs'],
  [{ response_format: 'json' }, 'response_format'],
  [{ response_format: { type: 'json_schema', json_schema: {} } }, 'response_format.json_schema.schema'],
  [{ messages: 'hi' }, 'messages'],
  [{ messages: ['hi'] }, 'messages[0]'],
  [{ messages: [{ content: 'hi' }] }, 'messages[0]'],
  [{ tools: {} }, 'tools'],
]

test.each(mistyped)('%j is mistyped', (fields, param) => {
  const error = refusal(fields)
  expect(error).toMatchObject({ status: 400, code: 'invalid_type', extra: { param } })
  expect(error.message).toBe('Invalid request body')
})
