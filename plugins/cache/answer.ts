import { type Context, isJson } from 'gatehouse'
import { repeatsFields } from './repeats.ts'

/** What stands in for a word of the answer only where it is a name or a value of its own: inside a text, quotes are escaped. */
const alarming = ['"error"', '"abort"'] as const

/** True when the answer may be one to keep; its body is still to be looked at. */
export const mayKeep = (ctx: Pick<Context, 'keptOut'>, response: Response): boolean =>
  ctx.keptOut === undefined && response.status === 200 && isJson(response)

/**
 * True for the body of a whole answer to this very request. Not for an error in a 200, nor for one whose generation was
 * broken off at the server (vLLM and SGLang end it with `abort` then, some with `error`). `length` is as whole as
 * `stop`: the request, which is part of the key, set that length. And not when the request names a field twice: which
 * of the two counts, servers see differently, and the key knows only the last.
 */
export function isWhole(ctx: Pick<Context, 'wire'>, body: Uint8Array): boolean {
  return !tellsOfFailure(body) && !repeatsFields(ctx.wire())
}

function tellsOfFailure(body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (!alarming.some(word => bytes.includes(word))) return false
  const { error, choices } = parse(bytes)
  if (error !== undefined && error !== null) return true
  const all = Array.isArray(choices) ? (choices as readonly { readonly finish_reason?: unknown }[]) : []
  return all.some(choice => choice?.finish_reason === 'abort' || choice?.finish_reason === 'error')
}

/** What is not an object is no answer of ours, and as good as an error. */
function parse(bytes: Buffer): { readonly error?: unknown; readonly choices?: unknown } {
  try {
    return (JSON.parse(bytes.toString()) as object | null) ?? { error: 'null' }
  } catch (error) {
    return { error }
  }
}
