import { invalidRequest } from '../../errors.ts'
import { isObject } from '../../http/json-object.ts'
import { readContent } from './content.ts'
import { isString, type Json, optional, wrongType } from './values.ts'

/** The messages of a request in Ollama's form (api/types.go, Message), and the fields that have no place in it. */
export interface ReadMessages {
  readonly messages: readonly Json[]
  readonly ignored: readonly string[]
}

/** Translates OpenAI's messages. Throws a 400 that names the field at fault. */
export function readMessages(messages: unknown): ReadMessages {
  // An empty list must not reach Ollama, where it means "load the model and say nothing".
  if (!Array.isArray(messages)) throw messages ? wrongType('messages') : noMessages()
  if (messages.length === 0) throw noMessages()
  const toolNames = new Map<string, string>()
  const translated = messages.map((message: unknown, index) => readMessage(message, `messages[${index}]`, toolNames))
  const named = messages.some(message => message.name && message.role !== 'tool' && message.role !== 'function')
  return { messages: translated, ignored: named ? ['messages.name'] : [] }
}

const noMessages = () => invalidRequest('Messages are required', 'missing_messages', 'messages')

function readMessage(message: unknown, at: string, toolNames: Map<string, string>): Json {
  if (!isObject(message) || !isString(message.role)) throw wrongType(at)
  const { text, images } = readContent(message.content ?? message.refusal, `${at}.content`)
  const translated = { role: roles.get(message.role) ?? message.role, content: text, ...(images.length > 0 && { images }) }
  if (translated.role === 'assistant') return { ...translated, ...readThinking(message), ...readCalls(message, at, toolNames) }
  if (translated.role === 'tool') return { ...translated, ...readToolReference(message, at, toolNames) }
  return translated
}

/** Roles that Ollama's templates do not know. */
const roles = new Map([
  ['developer', 'system'],
  ['function', 'tool'],
])

function readThinking({ reasoning_content, reasoning }: Json): Json {
  const thinking = reasoning_content ?? reasoning
  return isString(thinking) && thinking !== '' ? { thinking } : {}
}

function readCalls(message: Json, at: string, toolNames: Map<string, string>): Json {
  const calls = optional(message, 'tool_calls', Array.isArray, `${at}.tool_calls`)
  if (calls && calls.length > 0) {
    return { tool_calls: calls.map((call, index) => readCall(call, index, `${at}.tool_calls[${index}]`, toolNames)) }
  }
  const legacy = optional(message, 'function_call', isObject, `${at}.function_call`)
  return legacy ? { tool_calls: [{ function: readFunction(legacy, 0, `${at}.function_call`) }] } : {}
}

function readCall(call: unknown, index: number, at: string, toolNames: Map<string, string>): Json {
  if (!isObject(call)) throw wrongType(at)
  if (!isObject(call.function)) throw wrongType(`${at}.function`)
  const made = readFunction(call.function, index, `${at}.function`)
  const id = optional(call, 'id', isString, `${at}.id`)
  if (id === undefined) return { function: made }
  toolNames.set(id, made.name)
  return { id, function: made }
}

function readFunction(made: Json, index: number, at: string): { name: string; index: number; arguments: Json } {
  if (!isString(made.name)) throw wrongType(`${at}.name`)
  return { index, name: made.name, arguments: readArguments(made.arguments, `${at}.arguments`) }
}

/** Ollama takes an object where OpenAI has its JSON; models without arguments to give write an empty string. */
function readArguments(value: unknown, param: string): Json {
  if (value === undefined || value === null || value === '') return {}
  if (isObject(value)) return value
  if (!isString(value)) throw wrongType(param)
  try {
    const parsed: unknown = JSON.parse(value)
    if (isObject(parsed)) return parsed
  } catch {
    // falls through to the same answer
  }
  throw invalidRequest('The arguments of a tool call must be a JSON object.', 'invalid_value', param)
}

/** OpenAI's tool messages carry only the call's id; Ollama's templates want the tool's name. */
function readToolReference(message: Json, at: string, toolNames: ReadonlyMap<string, string>): Json {
  const id = optional(message, 'tool_call_id', isString, `${at}.tool_call_id`)
  const name = optional(message, 'name', isString, `${at}.name`) ?? (id === undefined ? undefined : toolNames.get(id))
  return { ...(name && { tool_name: name }), ...(id && { tool_call_id: id }) }
}
