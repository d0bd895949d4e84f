import { type Call, type Context, meaningfulHeaders, type Payload, type Target, trimSlashes } from 'gatehouse'

/** Headers of the client that change what a backend answers or how it is traced. */
const passedOn = [...meaningfulHeaders, 'traceparent', 'tracestate']

/** The request as one target gets it: its name for the model, its `set` and `strip`, and usage always asked for. */
export function prepareCall(ctx: Context, target: Target, signal: AbortSignal): Call {
  const change = changes(ctx, target)
  const payload = change ? change(ctx.payload) : ctx.payload
  let bytes: Uint8Array<ArrayBuffer> | undefined
  return {
    requestId: ctx.id,
    operation: ctx.operation,
    path: trimSlashes(ctx.url.pathname),
    model: target.model,
    payload,
    headers: clientHeaders(ctx.request.headers),
    contentType: ctx.contentType,
    signal,
    wire() {
      if (!change) return ctx.wire()
      bytes ??= ctx.wireOf(payload)
      return bytes
    },
  }
}

/** True when the client wants to see the usage of a stream. */
export const wantsUsage = ({ stream_options }: Readonly<Payload>): boolean => stream_options?.include_usage === true

type Change = (payload: Readonly<Payload>) => Payload

/** What must differ from the client's request; undefined when its own bytes can be sent. */
function changes(ctx: Context, { model, set, strip }: Target): Change | undefined {
  const { payload, operation } = ctx
  const renames = payload.model !== model && model !== ''
  const metered = operation === 'chat.completions' || operation === 'completions'
  const asksUsage = metered && payload.stream === true && !wantsUsage(payload)
  const edits = Object.keys(set).length > 0 || strip.length > 0
  if (!renames && !asksUsage && !edits) return
  return original => {
    const usage = asksUsage ? { stream_options: { ...original.stream_options, include_usage: true } } : {}
    const changed: Record<string, unknown> = { ...original, ...usage, ...set }
    for (const field of strip) delete changed[field]
    if (renames) changed.model = model
    return changed as Payload
  }
}

function clientHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of passedOn) {
    const value = headers.get(name)
    if (value !== null) kept[name] = value
  }
  return kept
}
