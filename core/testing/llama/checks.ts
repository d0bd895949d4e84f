import type { Reply } from '../behaviour/writer.ts'
import { record, records } from '../openai/asked.ts'
import type { Body } from '../openai/endpoint.ts'
import { llamaError } from './errors.ts'

const kinds: Readonly<Record<string, 'number' | 'boolean'>> = {
  temperature: 'number',
  top_p: 'number',
  top_k: 'number',
  max_tokens: 'number',
  max_completion_tokens: 'number',
  n_predict: 'number',
  seed: 'number',
  frequency_penalty: 'number',
  presence_penalty: 'number',
  stream: 'boolean',
}

/** llama-server's validation of a chat request (tools/server/server-common.cpp, oaicompat_chat_params_parse; server-schema.cpp). */
export function checkLlamaChat(body: Body): Reply | undefined {
  const { messages, tools } = body
  if (tools !== undefined && tools !== null && !Array.isArray(tools)) {
    const text = JSON.stringify(tools)
    return llamaError(500, `Failed to parse tools: Expected 'tools' to be an array, got ${text}; tools = ${text}`)
  }
  if (messages === undefined) return llamaError(400, "'messages' is required")
  if (!Array.isArray(messages)) return llamaError(400, "Expected 'messages' to be an array")
  const format = record(body.response_format).type
  if (format !== undefined && !['text', 'json_object', 'json_schema'].includes(String(format))) {
    return llamaError(400, `response_format type must be one of "text" or "json_object", but got: ${format}`)
  }
  for (const message of records(messages)) {
    const fault = faultOfMessage(message)
    if (fault) return fault
  }
  return checkLlamaFields(body)
}

/** The part of the validation that all its generating endpoints share. */
export function checkLlamaFields(body: Body): Reply | undefined {
  for (const [name, kind] of Object.entries(kinds)) {
    const value = body[name]
    if (value === undefined || value === null || typeof value === kind) continue
    const found = Array.isArray(value) ? 'array' : typeof value
    return llamaError(400, `Field '${name}': [json.exception.type_error.302] type must be ${kind}, but is ${found}`)
  }
  return undefined
}

function faultOfMessage(message: Body): Reply | undefined {
  const { role, content, tool_calls: calls } = message
  if (role === undefined) return llamaError(500, `Failed to parse messages: Missing 'role' in message: ${JSON.stringify(message)}`)
  if (content === undefined && role !== 'assistant') return llamaError(400, "All non-assistant messages must contain 'content'")
  if (content === undefined && calls === undefined)
    return llamaError(400, "Assistant message must contain either 'content' or 'tool_calls'!")
  if (content !== undefined && content !== null && typeof content !== 'string' && !Array.isArray(content)) {
    return llamaError(400, "Expected 'content' to be a string or an array")
  }
  for (const call of records(calls)) {
    const args = record(call.function).arguments
    if (typeof args === 'string' && !isJson(args)) {
      return llamaError(
        500,
        'Failed to parse tool call arguments as JSON: [json.exception.parse_error.101] parse error at line 1, column 1',
      )
    }
  }
  return undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
