import type { Reply } from '../behaviour/writer.ts'
import { GoDecodeError, type GoType, goDecode } from './go-json.ts'
import { checkOptions } from './options.ts'
import { goMarshal } from './writer.ts'

/** A decoded request body. */
export type Body = Readonly<Record<string, unknown>>

const json = { 'content-type': 'application/json; charset=utf-8' }
// Models that can think, and models that cannot see; the real server knows it from the model file.
const thinkers = ['think', 'params']
const blind = ['echo', 'notools']

/** A whole answer as gin writes it. */
export function ollamaReply(body: unknown): Reply {
  return { status: 200, body: typeof body === 'string' ? body : goMarshal(body), headers: json }
}

/** Ollama's error body. */
export function ollamaError(status: number, error: string): Reply {
  return { status, body: goMarshal({ error }), headers: json }
}

/** True for a reply in place of what was wanted. */
export function isReply(value: Body | Reply): value is Reply {
  return typeof value.status === 'number' && 'body' in value
}

/** Decodes a body as gin's ShouldBindJSON does, or says why not. */
export function decodeBody(bytes: Buffer, type: GoType): Body | Reply {
  if (bytes.length === 0) return ollamaError(400, 'missing request body')
  try {
    return goDecode(type, JSON.parse(bytes.toString('utf8')))
  } catch (error) {
    if (error instanceof GoDecodeError) return ollamaError(400, error.message)
    if (error instanceof SyntaxError) return ollamaError(400, syntaxFault(error.message))
    throw error
  }
}

function syntaxFault(message: string): string {
  return /EOF|end of|Unterminated/i.test(message) ? 'unexpected EOF' : 'invalid character looking for beginning of value'
}

/** The checks that chat and generate make before they run anything. */
export function checkModelRequest(body: Body, has: (name: string) => boolean, statusWithoutModel: 400 | 404): Reply | undefined {
  const name = String(body.model ?? '')
  const topLogprobs = Number(body.top_logprobs ?? 0)
  if (topLogprobs < 0 || topLogprobs > 20) return ollamaError(400, 'top_logprobs must be between 0 and 20')
  if (name === '') return ollamaError(statusWithoutModel, statusWithoutModel === 404 ? "model '' not found" : 'model is required')
  if (/[^\w.\-:/]/.test(name)) return ollamaError(400, 'invalid model name')
  if (!has(name)) return ollamaError(404, `model '${name}' not found`)
  if (body.think && !thinkers.includes(name)) return ollamaError(400, `"${name}" does not support thinking`)
  // A wrongly typed option is found only when the model is scheduled, and that is a 500.
  const fault = checkOptions(body.options)
  if (fault !== undefined) return ollamaError(500, fault)
  return checkFormat(body.format) ?? checkImages(body, name)
}

function checkFormat(format: unknown): Reply | undefined {
  if (!format || format === 'json' || (typeof format === 'object' && !Array.isArray(format))) return undefined
  const quoted = JSON.stringify(JSON.stringify(format))
  return ollamaError(500, `invalid format: ${quoted}; expected "json" or a valid JSON Schema object`)
}

function checkImages(body: Body, name: string): Reply | undefined {
  const messages = (body.messages ?? []) as readonly Body[]
  const seen = [body, ...messages].some(holder => Array.isArray(holder.images) && holder.images.length > 0)
  if (!seen || !blind.includes(name)) return undefined
  // Ollama passes its runner's whole error on as one string.
  const message = 'Multimodal data provided, but model does not support multimodal requests.'
  return ollamaError(400, JSON.stringify({ error: { code: 400, message, type: 'invalid_request_error' } }))
}
