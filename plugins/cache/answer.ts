import { type Context, isEventStream, isJson, type Operation, toWhole } from 'gatehouse'
import { repeatsFields } from './repeats.ts'

/** An answer, and the request it was given to. */
export interface Given {
  /** The request as the client wrote it. */
  readonly wire: Uint8Array
  readonly body: Uint8Array
  readonly operation: Operation
  /** The body is a recorded stream. */
  readonly events: boolean
}

/** True when the answer may be one to keep; its body is still to be looked at. */
export const mayKeep = (ctx: Pick<Context, 'keptOut'>, response: Pick<Response, 'status' | 'headers'>): boolean =>
  ctx.keptOut === undefined && response.status === 200 && (isJson(response) || isEventStream(response))

/** What stands in for a word of the answer only where it is a name or a value of its own: inside a text, quotes are escaped. */
const alarming = ['"error"', '"abort"'] as const

/**
 * True for the body of a whole answer to this very request. Not for an error in a 200, nor for one whose generation was
 * broken off at the server (vLLM and SGLang end it with `abort` then, some with `error`). `length` is as whole as
 * `stop`: the request, which is part of the key, set that length. And not when the request names a field twice: which
 * of the two counts, servers see differently, and the key knows only the last.
 */
export function isWhole(given: Given): boolean {
  const body = Buffer.from(given.body.buffer, given.body.byteOffset, given.body.byteLength)
  if (given.events && !ends(body)) return false
  if (alarming.some(word => body.includes(word)) && tellsOfFailure(given, body)) return false
  return !repeatsFields(given.wire)
}

const ends = (body: Buffer) => /data: ?\[DONE\]\s*$/.test(body.subarray(-32).toString('latin1'))

function tellsOfFailure({ events, operation }: Given, body: Buffer): boolean {
  const answer = events ? toWhole(body, { operation }) : parse(body)
  if (!answer) return true
  if (answer.error !== undefined && answer.error !== null) return true
  const choices = Array.isArray(answer.choices) ? (answer.choices as readonly { readonly finish_reason?: unknown }[]) : []
  return choices.some(choice => choice?.finish_reason === 'abort' || choice?.finish_reason === 'error')
}

/** What is not an object is no answer of ours. */
function parse(bytes: Buffer): { readonly error?: unknown; readonly choices?: unknown } | undefined {
  try {
    return (JSON.parse(bytes.toString()) as object | null) ?? undefined
  } catch {
    return undefined
  }
}
