import { invalidRequest } from '../../errors.ts'
import { toNative } from './chat-request.ts'
import { ignoredFields } from './fields.ts'
import { isTokens } from './generate-request.ts'
import { toOptions } from './options.ts'
import { isInteger, isString, isStrings, type Json, optional, unsupported, wrongType } from './values.ts'

/** An embedding request in Ollama's form. */
export interface EmbedRequest {
  readonly body: Json
  /** The client wants each vector as base64 of little-endian 32-bit floats. */
  readonly base64: boolean
  readonly ignored: readonly string[]
}

const mapped = new Set(['model', 'input', 'dimensions', 'encoding_format', 'options', 'keep_alive', 'truncate'])

/** Translates an embedding request. Throws a 400 for what is wrong or cannot be had from Ollama. */
export function toEmbedRequest(payload: Json, model: string): EmbedRequest {
  const input = readInput(payload.input)
  const dimensions = optional(payload, 'dimensions', isInteger)
  const format = optional(payload, 'encoding_format', isString)
  if (format !== undefined && format !== 'float' && format !== 'base64') {
    throw invalidRequest('Use `float` or `base64`.', 'invalid_value', 'encoding_format')
  }
  const { keep_alive, truncate, options } = payload
  const body = {
    model,
    input,
    ...(dimensions !== undefined && { dimensions }),
    ...toOptions({ options }),
    ...toNative({ keep_alive, truncate }),
  }
  return { body, base64: format === 'base64', ignored: ignoredFields(payload, mapped) }
}

function readInput(input: unknown): readonly string[] {
  // Always a list: a lone empty string would get no vector at all.
  if (isString(input)) return [input]
  if (!Array.isArray(input) || input.length === 0) throw wrongType('input')
  if (isStrings(input)) return input
  throw input.every(isTokens) ? unsupported('Ollama takes text, not token ids. Send strings.', 'input') : wrongType('input')
}
