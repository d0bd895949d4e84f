import {
  type Context,
  countUsage,
  forwardable,
  GatewayError,
  normaliseAnswer,
  type Operation,
  type ResolvedModel,
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
  let json: unknown
  try {
    json = JSON.parse(decoder.decode(bytes))
  } catch (cause) {
    const error = new GatewayError(502, 'server_error', 'bad_gateway', 'The model backend sent something that is not JSON.', { cause })
    return { error, retry: 'elsewhere' }
  }
  const changed = repair(ctx, model, json)
  const headers = forwardable(response.headers)
  if (ctx.payload.stream && isCompletion(ctx.operation)) return streamOfAnswer(ctx, headers, (changed ?? json) as Record<string, unknown>)
  return new Response(changed === undefined ? bytes : JSON.stringify(changed), { status: response.status, headers })
}

/** Some backends ignore `stream`; their client still waits for events. */
function streamOfAnswer(ctx: Context, headers: Headers, json: Record<string, unknown>): Response {
  for (const [name, value] of Object.entries(streamHeaders)) headers.set(name, value)
  return new Response(toEvents(json, { chat: ctx.operation === 'chat.completions', includeUsage: wantsUsage(ctx.payload) }), { headers })
}

const decoder = new TextDecoder()

async function readAll(response: Response, watchdog: Watchdog): Promise<Uint8Array<ArrayBuffer>> {
  const length = Number(response.headers.get('content-length') ?? 0)
  // a body that came with its headers needs no watching; only one that trickles does
  try {
    if (length > 0 && length < 16_384) return (await response.bytes()) as Uint8Array<ArrayBuffer>
    watchdog.begun()
    const chunks: Uint8Array[] = []
    for await (const chunk of response.body ?? []) {
      watchdog.touch()
      chunks.push(chunk)
    }
    return Buffer.concat(chunks) as Uint8Array<ArrayBuffer>
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
