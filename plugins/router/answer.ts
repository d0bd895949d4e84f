import {
  type Context,
  countUsage,
  describeError,
  forwardable,
  GatewayError,
  longestAnswer,
  normaliseAnswer,
  type Operation,
  type ResolvedModel,
  readAtMost,
  renameAnswer,
  streamHeaders,
  toEvents,
} from 'gatehouse'
import { wantsUsage } from './call.ts'
import { fitEmbeddings } from './embeddings.ts'
import type { Failure } from './failure.ts'
import type { Watchdog } from './watchdog.ts'
import { brokenOff } from './words.ts'

/** A whole JSON answer: counted, repaired where a backend slipped, otherwise the very bytes. */
export async function wholeAnswer(ctx: Context, model: ResolvedModel, response: Response, watchdog: Watchdog): Promise<Response | Failure> {
  const bytes = await readAll(response, watchdog)
  const json = bytes && parse(bytes)
  if (json === undefined) return unusable('The model backend sent something that is not JSON.')
  // some servers wrap their errors in a 200
  if (isCompletion(ctx.operation) && !Array.isArray((json as { choices?: unknown } | null)?.choices)) {
    return unusable(describeError(json)?.message ?? 'The model backend sent an answer without choices.')
  }
  const changed = repair(ctx, model, json)
  const headers = forwardable(response.headers)
  headers.set('content-type', 'application/json')
  if (ctx.payload.stream === true && isCompletion(ctx.operation))
    return streamOfAnswer(ctx, headers, (changed ?? json) as Record<string, unknown>)
  return new Response(changed === undefined ? bytes : JSON.stringify(changed), { status: response.status, headers })
}

const unusable = (message: string): Failure => ({
  error: new GatewayError(502, 'server_error', 'bad_gateway', message),
  retry: 'elsewhere',
})

/** Some backends ignore `stream`; their client still waits for events. */
function streamOfAnswer(ctx: Context, headers: Headers, json: Record<string, unknown>): Response {
  for (const [name, value] of Object.entries(streamHeaders)) headers.set(name, value)
  return new Response(toEvents(json, { chat: ctx.operation === 'chat.completions', includeUsage: wantsUsage(ctx.payload) }), { headers })
}

const decoder = new TextDecoder()

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch {
    return undefined
  }
}

async function readAll(response: Response, watchdog: Watchdog): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const length = Number(response.headers.get('content-length') ?? 0)
  try {
    // a body that came with its headers needs no watching; only one that trickles does
    if (length > 0 && length < 16_384) return (await response.bytes()) as Uint8Array<ArrayBuffer>
    watchdog.begun()
    return await readAtMost(response.body, longestAnswer, watchdog.touch)
  } catch (cause) {
    throw brokenOff(cause, watchdog.signal)
  }
}

/** The answer as the client must see it, or undefined when it already is. */
function repair(ctx: Context, model: ResolvedModel, json: unknown): unknown {
  const { operation } = ctx
  if (isCompletion(operation)) {
    const result = normaliseAnswer(json, {
      operation,
      model: model.asked,
      includeUsage: true,
      usage: ctx.usage,
      newId: () => crypto.randomUUID(),
    })
    return result.changed ? result.json : undefined
  }
  if (typeof json !== 'object' || json === null) return
  countUsage(ctx.usage, json)
  const fitted = operation === 'embeddings' ? fitEmbeddings(json, ctx.payload.encoding_format) : undefined
  return renameAnswer(fitted ?? json, model.asked) ?? fitted
}

/** True for the two operations whose answers the normaliser knows. */
export const isCompletion = (operation: Operation): operation is 'chat.completions' | 'completions' =>
  operation === 'chat.completions' || operation === 'completions'
