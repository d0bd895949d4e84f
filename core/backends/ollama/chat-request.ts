import { isObject } from '../../http/json-object.ts'
import { ignoredFields, refuseUnsupported } from './fields.ts'
import { readMessages } from './messages.ts'
import { optionFields, toOptions } from './options.ts'
import { thinkFields, toThink } from './thinking.ts'
import { readTools, toolFields } from './tools.ts'
import { isBoolean, isInteger, isString, type Json, optional, unsupported, wrongType } from './values.ts'

/** A chat request in Ollama's form. */
export interface ChatRequest {
  readonly body: Json
  readonly stream: boolean
  /** The client expects `function_call` in the answer, not `tool_calls`. */
  readonly legacy: boolean
  /** Fields that were accepted and not passed on. */
  readonly ignored: readonly string[]
}

/** Ollama's own fields that clients may set; they mean the same on both sides. */
export const nativeFields = ['keep_alive', 'truncate', 'shift'] as const

const mapped = new Set<string>([
  ...['model', 'messages', 'stream', 'stream_options', 'options', 'response_format', 'logprobs', 'top_logprobs'],
  ...optionFields,
  ...thinkFields,
  ...toolFields,
  ...nativeFields,
])

/** Translates a chat completion request. Throws a 400 for what is wrong or cannot be had from Ollama. */
export function toChatRequest(payload: Json, model: string): ChatRequest {
  refuseUnsupported(payload)
  const stream = optional(payload, 'stream', isBoolean) ?? false
  const { messages, ignored: ofMessages } = readMessages(payload.messages)
  const { tools, legacy, ignored: ofTools } = readTools(payload)
  const body = {
    model,
    messages,
    // Ollama streams unless it is told not to.
    stream,
    ...(tools.length > 0 && { tools }),
    ...toFormat(payload),
    ...toOptions(payload),
    ...toThink(payload),
    ...toLogprobs(payload),
    ...toNative(payload),
  }
  const unmet = payload.logprobs === false ? ['logprobs'] : []
  return { body, stream, legacy, ignored: [...ignoredFields(payload, mapped), ...unmet, ...ofTools, ...ofMessages] }
}

function toFormat(payload: Json): Json {
  const format = optional(payload, 'response_format', isObject)
  if (!format || format.type === 'text') return {}
  if (format.type === 'json_object') return { format: 'json' }
  if (format.type !== 'json_schema') throw unsupported('Use `text`, `json_object` or `json_schema`.', 'response_format.type')
  const described = optional(format, 'json_schema', isObject, 'response_format.json_schema')
  // Ollama answers a schema of another type with a 500.
  if (!isObject(described?.schema)) throw wrongType('response_format.json_schema.schema')
  return { format: described.schema }
}

function toLogprobs(payload: Json): Json {
  const logprobs = optional(payload, 'logprobs', isBoolean)
  const top = optional(payload, 'top_logprobs', isInteger)
  return logprobs ? { logprobs, ...(top !== undefined && { top_logprobs: top }) } : {}
}

/** The native fields the client set, with the types Ollama wants. */
export function toNative(payload: Json): Json {
  const keepAlive = optional(payload, 'keep_alive', isNumberOrString)
  const truncate = optional(payload, 'truncate', isBoolean)
  const shift = optional(payload, 'shift', isBoolean)
  return {
    ...(keepAlive !== undefined && { keep_alive: keepAlive }),
    ...(truncate !== undefined && { truncate }),
    ...(shift !== undefined && { shift }),
  }
}

const isNumberOrString = (value: unknown): value is number | string => typeof value === 'number' || isString(value)
