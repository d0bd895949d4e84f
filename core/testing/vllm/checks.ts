import type { Reply } from '../behaviour/writer.ts'
import { record, records } from '../openai/asked.ts'
import type { Body } from '../openai/endpoint.ts'
import { vllmError } from './errors.ts'

const types: Readonly<Record<string, string>> = {
  temperature: 'float',
  top_p: 'float',
  frequency_penalty: 'float',
  presence_penalty: 'float',
  max_tokens: 'int',
  max_completion_tokens: 'int',
  n: 'int',
  seed: 'int',
  stream: 'bool',
}

/** vLLM's validation of a chat request (vllm/entrypoints/openai/chat_completion/protocol.py); unknown fields pass. */
export function checkVllmChat(body: Body): Reply | undefined {
  if (!Array.isArray(body.messages)) {
    return body.messages === undefined
      ? invalid('missing', 'messages', 'Field required')
      : invalid('list_type', 'messages', 'Input should be a valid list')
  }
  return checkVllmFields(body) ?? checkArguments(body)
}

/** The part of the validation that completions share. */
export function checkVllmFields(body: Body): Reply | undefined {
  for (const [name, type] of Object.entries(types)) {
    const value = body[name]
    // Pydantic takes a number or a bool from a string that spells one.
    if (value === undefined || value === null || fits(type, value)) continue
    return invalid(
      `${type}_parsing`,
      name,
      `Input should be a valid ${type === 'float' ? 'number' : type === 'int' ? 'integer' : 'boolean'}`,
    )
  }
  if (body.stream_options && body.stream !== true) {
    return vllmError(400, 'Value error, Stream options can only be defined when `stream=True`.', 'Bad Request', 'stream_options')
  }
  return undefined
}

function checkArguments(body: Body): Reply | undefined {
  for (const message of records(body.messages)) {
    for (const call of records(message.tool_calls)) {
      const args = record(call.function).arguments
      if (typeof args !== 'string' || args === '') continue
      try {
        JSON.parse(args)
      } catch {
        return vllmError(400, 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)')
      }
    }
  }
  return undefined
}

function fits(type: string, value: unknown): boolean {
  if (type === 'bool')
    return typeof value === 'boolean' || ['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'].includes(String(value).toLowerCase())
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return type === 'int' ? Number.isInteger(number) : typeof number === 'number' && !Number.isNaN(number)
}

function invalid(type: string, name: string, text: string): Reply {
  const message = `1 validation error:\n  {'type': '${type}', 'loc': ('body', '${name}'), 'msg': '${text}'}`
  return vllmError(400, message, 'Bad Request', `body.${name}`)
}
