import type { Config } from './config/schema.ts'
import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'
import { adminKey, apiKey, forgetSecret, type KeyKind } from './kept-key.ts'
import type { AccessLine, Logger } from './log.ts'
import { operations } from './openai.ts'
import type { UsageGatherer } from './records/usage-gatherer.ts'
import { usagePlace } from './usage-place.ts'

/** Writes what the log says of a request that is over, and lets go of the file with a key that gatehouse made once the key was used. */
export function createTellEnd(log: Logger, access: (line: AccessLine) => void, usage: Pick<UsageGatherer, 'count'>) {
  const forgotten = new Set<KeyKind>()
  return (exchange: Exchange, status: number, { data_dir: dataDir }: Config): void => {
    const { ctx, openedAt } = exchange
    const latency = Math.round((performance.now() - openedAt) * 1000) / 1000
    const { id, ip, path, principal, request, payload } = ctx
    access({
      request_id: id,
      method: request.method,
      path,
      status,
      latency,
      latency_ms: latency,
      ip,
      model: typeof payload.model === 'string' && payload.model !== '' ? payload.model : undefined,
      key_id: principal.kind === 'anonymous' ? undefined : principal.id,
    })
    if (calls.has(ctx.operation) && principal.kind !== 'anonymous') countCall(exchange, status, latency, usage)
    if (log.isLevelEnabled('debug')) tellAnswered(ctx, status)
    const made = principal.id === 'initial' ? apiKey : principal.id === 'admin' ? adminKey : undefined
    if (made === undefined || forgotten.has(made)) return
    forgotten.add(made)
    forgetSecret(dataDir, made).catch(err => log.warn({ err }, `the file with the first ${made.title} could not be removed`))
  }
}

const calls: ReadonlySet<string> = new Set(operations.map(({ operation }) => operation))

/** One more request for the reports. Its tokens are counted where they are charged. */
function countCall({ ctx, openedAt, answeredAt }: Exchange, status: number, latencyMs: number, usage: Pick<UsageGatherer, 'count'>): void {
  const began = answeredAt > 0 && status < 400
  usage.count(usagePlace(ctx), {
    requests: 1,
    cached: ctx.headers.get('x-cache') === 'HIT' ? 1 : 0,
    errors: status >= 400 ? 1 : 0,
    latencyMs,
    ...(began && { firstTokenMs: answeredAt - openedAt, firstTokens: 1 }),
  })
}

/** LlamaGate's line for a call to a model that was answered, for those who look for it. */
function tellAnswered({ operation, payload, model, usage, signal, log }: Context, status: number): void {
  if (model === undefined || status >= 400 || signal.aborted) return // what ended early was aborted by its end
  log.debug(
    { operation, prompt_tokens: usage.promptTokens, completion_tokens: usage.completionTokens },
    payload.stream === true ? 'Streaming response completed' : 'Request completed',
  )
}
