import type { Context, Gateway, ResolvedModel, Started } from 'gatehouse'
import type { Admission, Refusal, Ticket, Waiting } from './admission/admission.ts'
import { type Failure, thrown } from './failure.ts'
import { likelyTokens } from './likely.ts'
import { type Place, processOf } from './places.ts'
import type { SendTo } from './send.ts'
import type { Attempt } from './targets/targets.ts'

/** One request at one place. */
export interface Visit {
  readonly ctx: Context
  readonly model: ResolvedModel
  readonly place: Place
  /** What is told of the place. */
  readonly attempt: Attempt
}

/** What a visit needs of the house. */
export interface VisitOptions extends Pick<Gateway, 'processes'> {
  readonly admission: Admission
  readonly send: SendTo
}

/**
 * Waits for the place's turn, starts its server when that is needed, and sends. Whatever is held is given back when the answer
 * is over, however that ends. Rejects only with the reason of the request's signal, and with bugs.
 */
export function createVisit({ admission, processes, send }: VisitOptions) {
  const enter = (ctx: Context, model: ResolvedModel, { id }: Place) =>
    admission.enter({
      key: whoShares(ctx),
      tokens: likelyTokens(ctx, model),
      model: id,
      signal: ctx.signal,
    })
  const wait = async (ctx: Context, waiting: Waiting): Promise<Ticket | Refusal> => {
    ctx.phase = 'queued'
    ctx.progress = () => ({ state: 'queued', queue_position: waiting.position })
    return waiting.ready
  }
  const start = (ctx: Context, { backend, target, id }: Place): Promise<Started> | undefined => {
    if (!backend.start) return
    const model = processOf(id) ?? target.model
    ctx.phase = 'loading'
    ctx.progress = () => {
      const { queuePosition, etaMs } = processes.progress(model) ?? {}
      return {
        state: 'loading',
        ...(queuePosition && { queue_position: queuePosition }),
        ...(etaMs !== undefined && { eta_ms: Math.round(etaMs) }),
      }
    }
    return backend.start(target.model, ctx.signal)
  }

  return async function visit({ ctx, model, place, attempt }: Visit): Promise<Response | Failure | Refusal> {
    const before = spent(ctx)
    let ticket: Ticket | undefined
    let started: Started | undefined
    let open = true
    const end = () => {
      if (!open) return
      open = false
      ticket?.release(spent(ctx) - before)
      started?.release()
      attempt.end()
    }
    try {
      if (place.slots !== undefined) {
        const entry = enter(ctx, model, place)
        const answer = entry.state === 'waiting' ? await wait(ctx, entry) : entry
        if (answer.state === 'refused') {
          end()
          return answer
        }
        ticket = answer
      }
      const starting = start(ctx, place)
      if (starting) started = await starting
      ctx.phase = 'waiting'
      ctx.progress = undefined
      let streams = false
      const result = await send(
        { ctx, model, target: place.target, backend: started?.backend ?? place.backend, onGone: started?.onGone },
        {
          handedOver() {
            streams = true
          },
          over(failed) {
            if (failed) attempt.failed()
            end()
          },
        },
      )
      if (!(result instanceof Response)) judge(attempt, result)
      else if (streams) attempt.firstToken()
      else attempt.answered()
      if (!streams) end()
      return result
    } catch (error) {
      if (ctx.signal.aborted) {
        end()
        throw ctx.signal.reason
      }
      try {
        const failure = thrown(error)
        judge(attempt, failure)
        return failure
      } finally {
        end()
      }
    }
  }
}

/** What a failure says of the place: a wrong request is answered as well as it can be. */
function judge(attempt: Attempt, { error, retry, afterMs }: Failure): void {
  if (error.status === 429) attempt.limited(afterMs)
  else if (retry === 'never') attempt.answered()
  else attempt.failed()
}

const spent = ({ usage }: Context) => usage.promptTokens + usage.completionTokens

/** Whose turn it is: the key; where many share one, or need none, whoever they say they are, or where they come from. */
function whoShares({ principal, request, ip }: Context): string {
  if (principal.kind === 'key') return principal.id
  return `${principal.kind} ${request.headers.get('x-llamagate-user') ?? ip}`
}
