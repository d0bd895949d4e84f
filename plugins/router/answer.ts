import {
  type Context,
  countUsage,
  forwardable,
  GatewayError,
  normaliseAnswer,
  type Operation,
  type ResolvedModel,
  renameAnswer,
} from 'gatehouse'
import { fitEmbeddings } from './embeddings.ts'
import type { Failure } from './failure.ts'
import type { Watchdog } from './watchdog.ts'

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
  return new Response(changed === undefined ? bytes : JSON.stringify(changed), { status: response.status, headers })
}

const decoder = new TextDecoder()

async function readAll(response: Response, watchdog: Watchdog): Promise<Uint8Array<ArrayBuffer>> {
  const length = Number(response.headers.get('content-length') ?? 0)
  // a body that came with its headers needs no watching; only one that trickles does
  if (length > 0 && length < 16_384) return (await response.bytes()) as Uint8Array<ArrayBuffer>
  watchdog.begun()
  const chunks: Uint8Array[] = []
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    watchdog.touch()
    if (done) return Buffer.concat(chunks) as Uint8Array<ArrayBuffer>
    chunks.push(value)
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
