import { type Context, GatewayError, type ResolvedModel } from 'gatehouse'
import { type Refusal, refusalError } from './admission/admission.ts'
import { type Failure, longestPauseMs, pause } from './failure.ts'
import type { Place } from './places.ts'
import { sleep } from './sleep.ts'
import { affinityOf, type Targets } from './targets/targets.ts'
import type { Visit } from './visit.ts'

/** What a route goes by. */
export interface RouteOptions {
  readonly targets: Targets
  readonly visit: (visit: Visit) => Promise<Response | Failure | Refusal>
  /** How many times a request is sent again after every place was tried once. */
  readonly retries: number
  /** The header that names a session. */
  readonly sessionHeader: string
}

/** Sends a request to the places of its model, one after the other, until one answers. Throws why none did. */
export async function route(ctx: Context, model: ResolvedModel, places: readonly Place[], options: RouteOptions): Promise<Response> {
  const { targets, visit, retries, sessionHeader } = options
  const failures = new Map<Place, Failure>()
  const affinity = () => affinityOf(model.name, { headers: ctx.request.headers, payload: ctx.payload }, sessionHeader)
  let left = places
  let usual: Place | undefined
  let last: GatewayError | undefined

  for (let round = 0; round <= retries && left.length > 0; round++) {
    const question = { strategy: model.strategy, targets: left, affinity }
    let choice = targets.choose(question)
    for (let waited = 0; choice.order.length === 0; choice = targets.choose(question)) {
      const { limitedMs = 0 } = choice // all have asked for patience
      if (waited + limitedMs > longestPauseMs) throw last ?? allLimited(model.asked, limitedMs)
      const pauseMs = limitedMs + 1 // a timer may be a little early
      await sleep(pauseMs, ctx.signal)
      waited += pauseMs
    }
    usual ??= model.strategy === 'failover' ? places.find(({ target }) => target === model.targets[0]) : choice.order[0]
    const again: Place[] = []
    for (const place of choice.order) {
      const before = failures.get(place)
      const wait = before && before.error.status !== 429 ? pause(round, before) : 0
      if (wait === undefined) continue // it asked for more time than a client would wait
      if (wait > 0) await sleep(wait, ctx.signal)
      const attempt = choice.begin(place)
      if (!attempt) continue
      const result = await visit({ ctx, model, place, attempt })
      if (result instanceof Response) {
        if (place !== usual) ctx.keepOut('fallback')
        ctx.target = place.id
        return result
      }
      if ('state' in result) {
        last ??= refusalError(result)
        continue
      }
      if (result.retry === 'never') throw result.error
      last = result.error
      // never the backend's own words: they may quote the prompt
      ctx.log.warn({ backend: place.target.backend, ...reasonOf(result), round }, 'backend failed')
      ctx.note({ plugin: 'router', did: `left ${place.target.backend}`, why: reasonOf(result).reason })
      failures.set(place, result)
      if (result.retry === 'again') again.push(place)
    }
    left = again
  }
  throw last ?? allLimited(model.asked, 1000)
}

/** What the log may know of a failure: our status and code, and the system's code for a failed connection. */
function reasonOf({ error: { status, code, extra } }: Failure) {
  const system = (extra.cause as { readonly code?: unknown } | undefined)?.code
  return { status, reason: typeof system === 'string' ? system : (code ?? 'refused') }
}

const allLimited = (model: string, afterMs: number) =>
  new GatewayError(429, 'rate_limit_error', 'rate_limit_exceeded', `Every backend of '${model}' asks for patience. Try again later.`, {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(afterMs / 1000))) },
  })
