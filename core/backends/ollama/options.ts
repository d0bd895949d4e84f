import { invalidRequest } from '../../errors.ts'
import { isObject } from '../../http/json-object.ts'
import { isBoolean, isInteger, isNumber, isString, isStrings, type Json, optional, wrongType } from './values.ts'

type Check = (value: unknown) => boolean

const isStop: Check = value => isString(value) || isStrings(value)

/** Ollama's own option names (api/types.go, Options and Runner) and what it takes for each. */
const ollamaOptions: Readonly<Record<string, Check>> = {
  num_keep: isInteger,
  seed: isInteger,
  num_predict: isInteger,
  top_k: isInteger,
  top_p: isNumber,
  min_p: isNumber,
  typical_p: isNumber,
  repeat_last_n: isInteger,
  temperature: isNumber,
  repeat_penalty: isNumber,
  presence_penalty: isNumber,
  frequency_penalty: isNumber,
  stop: isStop,
  num_ctx: isInteger,
  num_batch: isInteger,
  num_gpu: isInteger,
  main_gpu: isInteger,
  use_mmap: isBoolean,
  num_thread: isInteger,
  draft_num_predict: isInteger,
}

/** OpenAI's names for the same; of two that are given the later one wins. */
const openaiNames = ['max_tokens', 'max_completion_tokens'] as const

/** The fields at the top of a request that become options. */
export const optionFields: readonly string[] = [...Object.keys(ollamaOptions), ...openaiNames]

/**
 * Ollama's `options`, from the client's own `options`, its names at the top level, and OpenAI's, which win.
 * Types are checked here because Ollama finds a wrong one only when it schedules the model, and calls that a 500.
 */
export function toOptions(payload: Json): { readonly options?: Json } {
  const options: Record<string, unknown> = { ...optional(payload, 'options', isObject) }
  for (const name of Object.keys(options)) set(options, name, options[name], `options.${name}`)
  for (const name of Object.keys(ollamaOptions)) set(options, name, payload[name], name)
  for (const name of openaiNames) {
    const tokens = optional(payload, name, isInteger)
    if (tokens === undefined) continue
    // Ollama takes 0 and less for "no limit".
    if (tokens < 1) throw invalidRequest('Ask for at least one token, or leave the field out.', 'invalid_value', name)
    options.num_predict = tokens
  }
  return Object.keys(options).length > 0 ? { options } : {}
}

function set(options: Record<string, unknown>, name: string, value: unknown, param: string): void {
  if (value === undefined || value === null) return
  const check = Object.hasOwn(ollamaOptions, name) ? ollamaOptions[name] : undefined
  if (check && !check(value)) throw wrongType(param)
  options[name] = name === 'stop' && isString(value) ? [value] : value
}
