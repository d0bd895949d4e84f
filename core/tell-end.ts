import type { Config } from './config/schema.ts'
import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'
import { adminKey, apiKey, forgetSecret, type KeyKind } from './kept-key.ts'
import type { AccessLine, Logger } from './log.ts'

/** Writes what the log says of a request that is over, and lets go of the file with a key that gatehouse made once the key was used. */
export function createTellEnd(log: Logger, access: (line: AccessLine) => void) {
  const forgotten = new Set<KeyKind>()
  return ({ ctx, openedAt }: Exchange, status: number, { data_dir: dataDir }: Config): void => {
    const latency = Math.round((performance.now() - openedAt) * 1000) / 1000
    const { id, ip, principal, request, url } = ctx
    access({
      request_id: id,
      method: request.method,
      path: url.pathname,
      status,
      latency,
      latency_ms: latency,
      ip,
      ...(typeof ctx.payload.model === 'string' && ctx.payload.model !== '' && { model: ctx.payload.model }),
      ...(principal.kind !== 'anonymous' && { key_id: principal.id }),
    })
    if (log.isLevelEnabled('debug')) tellAnswered(ctx, status)
    const made = principal.id === 'initial' ? apiKey : principal.id === 'admin' ? adminKey : undefined
    if (made === undefined || forgotten.has(made)) return
    forgotten.add(made)
    forgetSecret(dataDir, made).catch(err => log.warn({ err }, `the file with the first ${made.title} could not be removed`))
  }
}

/** LlamaGate's line for a call to a model that was answered, for those who look for it. */
function tellAnswered({ operation, payload, model, usage, signal, log }: Context, status: number): void {
  if (model === undefined || status >= 400 || signal.aborted) return // what ended early was aborted by its end
  log.debug(
    { operation, prompt_tokens: usage.promptTokens, completion_tokens: usage.completionTokens },
    payload.stream === true ? 'Streaming response completed' : 'Request completed',
  )
}
