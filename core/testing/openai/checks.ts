import type { Reply } from '../behaviour/writer.ts'
import { record, records } from './asked.ts'
import type { Body } from './endpoint.ts'
import { openaiError } from './errors.ts'

const kinds = {
  decimal: (value: unknown) => typeof value === 'number',
  integer: (value: unknown) => Number.isInteger(value),
  boolean: (value: unknown) => typeof value === 'boolean',
  array: (value: unknown) => Array.isArray(value),
  object: (value: unknown) => typeof value === 'object' && !Array.isArray(value),
  string: (value: unknown) => typeof value === 'string',
}

const chatFields: Readonly<Record<string, keyof typeof kinds | 'any'>> = {
  ...{ model: 'string', messages: 'array', stream: 'boolean', stream_options: 'object', temperature: 'decimal', top_p: 'decimal' },
  ...{ max_tokens: 'integer', max_completion_tokens: 'integer', n: 'integer', seed: 'integer', stop: 'any', tools: 'array' },
  ...{ tool_choice: 'any', parallel_tool_calls: 'boolean', response_format: 'object', frequency_penalty: 'decimal' },
  ...{ presence_penalty: 'decimal', logit_bias: 'object', logprobs: 'boolean', top_logprobs: 'integer', user: 'string' },
  ...{ store: 'boolean', metadata: 'object', reasoning_effort: 'string', service_tier: 'string', modalities: 'array' },
  ...{ audio: 'object', prediction: 'object', functions: 'array', function_call: 'any', web_search_options: 'object' },
  ...{ verbosity: 'string', safety_identifier: 'string', prompt_cache_key: 'string' },
}

/** OpenAI's validation of a chat request; unlike the servers one runs oneself it refuses what it does not know. */
export function checkChat(body: Body): Reply | undefined {
  if (body.model === undefined) return openaiError(400, 'you must provide a model parameter')
  if (body.messages === undefined) return missing('messages')
  return checkFields(body) ?? checkMessages(records(body.messages)) ?? checkTools(records(body.tools))
}

function checkFields(body: Body): Reply | undefined {
  for (const [name, value] of Object.entries(body)) {
    const kind = Object.hasOwn(chatFields, name) ? chatFields[name] : undefined
    if (kind === undefined) return openaiError(400, `Unknown parameter: '${name}'.`, { param: name, code: 'unknown_parameter' })
    if (value !== null && kind !== 'any' && !kinds[kind](value)) return wrongType(name, kind, value)
  }
  if (body.stream_options && body.stream !== true) {
    return openaiError(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", { param: 'stream_options' })
  }
  return undefined
}

function checkMessages(messages: readonly Body[]): Reply | undefined {
  if (messages.length === 0) {
    const message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."
    return openaiError(400, message, { param: 'messages', code: 'empty_array' })
  }
  let open = new Set<unknown>()
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`
    const calls = records(message.tool_calls)
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id)) {
        const text = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
        return openaiError(400, text, { param: `messages.[${index}].role` })
      }
      continue
    }
    if (open.size > 0) return unanswered(open)
    if (message.content === undefined || message.content === null) {
      if (message.role !== 'assistant' || calls.length === 0) {
        return openaiError(400, `Invalid value for 'content': expected a string, got null.`, { param: `messages.[${index}].content` })
      }
    }
    for (const [place, call] of calls.entries()) {
      const args = record(call.function).arguments
      if (typeof args !== 'string') return wrongType(`${at}.tool_calls[${place}].function.arguments`, 'string', args)
      if (typeof call.id !== 'string') return missing(`${at}.tool_calls[${place}].id`)
    }
    open = new Set(calls.map(call => call.id))
  }
  return open.size > 0 ? unanswered(open) : undefined
}

function checkTools(tools: readonly Body[]): Reply | undefined {
  for (const [index, tool] of tools.entries()) {
    const at = `tools[${index}].function.name`
    const name = String(record(tool.function).name ?? '')
    if (!/^[a-zA-Z0-9_-]+$/.test(name)) {
      const message = `Invalid '${at}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`
      return openaiError(400, message, { param: at, code: 'invalid_value' })
    }
    if (name.length > 64) {
      const message = `Invalid '${at}': string too long. Expected a string with maximum length 64, but got a string with length ${name.length} instead.`
      return openaiError(400, message, { param: at, code: 'string_above_max_length' })
    }
  }
  return undefined
}

function missing(param: string): Reply {
  return openaiError(400, `Missing required parameter: '${param}'.`, { param, code: 'missing_required_parameter' })
}

function wrongType(param: string, kind: string, value: unknown): Reply {
  const found = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a${typeof value === 'object' ? 'n' : ''} ${typeof value}`
  const wanted = `a${/^[aeio]/.test(kind) ? 'n' : ''} ${kind}`
  return openaiError(400, `Invalid type for '${param}': expected ${wanted}, but got ${found} instead.`, { param, code: 'invalid_type' })
}

function unanswered(open: ReadonlySet<unknown>): Reply {
  const ids = [...open].join(', ')
  const message = `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids}`
  return openaiError(400, message, { param: 'messages' })
}
