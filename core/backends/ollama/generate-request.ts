import { nativeFields, toNative } from './chat-request.ts'
import { ignoredFields, refuseUnsupported } from './fields.ts'
import { optionFields, toOptions } from './options.ts'
import { thinkFields, toThink } from './thinking.ts'
import { isBoolean, isInteger, isString, isStrings, type Json, optional, unsupported, wrongType } from './values.ts'

/** A completion request in Ollama's form: one body per prompt, since Ollama takes one prompt at a time. */
export interface GenerateRequest {
  readonly bodies: readonly Json[]
  readonly stream: boolean
  /** What stands before each answer: its prompt when the client wants it echoed, else nothing. */
  readonly echoes: readonly string[]
  readonly ignored: readonly string[]
}

const mapped = new Set<string>([
  ...['model', 'prompt', 'suffix', 'echo', 'stream', 'stream_options', 'options', 'logprobs'],
  ...optionFields,
  ...thinkFields,
  ...nativeFields,
])

/** Translates a completion request. Throws a 400 for what is wrong or cannot be had from Ollama. */
export function toGenerateRequest(payload: Json, model: string): GenerateRequest {
  refuseUnsupported(payload)
  const prompts = readPrompts(payload.prompt)
  const stream = optional(payload, 'stream', isBoolean) ?? false
  const suffix = optional(payload, 'suffix', isString)
  const echo = optional(payload, 'echo', isBoolean) ?? false
  const logprobs = optional(payload, 'logprobs', isInteger)
  const common = {
    model,
    stream,
    ...(suffix !== undefined && { suffix }),
    ...toOptions(payload),
    ...toThink(payload),
    // OpenAI's number says how many alternatives there shall be beside each token.
    ...(logprobs !== undefined && { logprobs: true, top_logprobs: logprobs }),
    ...toNative(payload),
  }
  return {
    bodies: prompts.map(prompt => ({ ...common, prompt })),
    stream,
    echoes: prompts.map(prompt => (echo ? prompt : '')),
    ignored: ignoredFields(payload, mapped),
  }
}

function readPrompts(prompt: unknown): readonly string[] {
  if (isString(prompt)) return [prompt]
  if (!Array.isArray(prompt) || prompt.length === 0) throw wrongType('prompt')
  if (isStrings(prompt)) return prompt
  throw prompt.every(isTokens) ? unsupported('Ollama takes text, not token ids. Send strings.', 'prompt') : wrongType('prompt')
}

/** A token id, or a list of them. */
export const isTokens = (value: unknown): boolean => isInteger(value) || (Array.isArray(value) && value.every(isInteger))
