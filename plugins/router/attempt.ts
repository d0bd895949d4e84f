import { type Backend, type Context, type Gateway, isEventStream, isJson, type ResolvedModel, type Target } from 'gatehouse'
import { isCompletion, wholeAnswer } from './answer.ts'
import { prepareCall } from './call.ts'
import { type Failure, refused, thrown } from './failure.ts'
import { eventStream, passedStream } from './stream.ts'
import type { Ticker } from './ticker.ts'
import { createWatchdog, type Limits } from './watchdog.ts'

/** One target a request may be sent to. */
export interface Attempt {
  readonly ctx: Context
  readonly model: ResolvedModel
  readonly target: Target
  readonly backend: Backend
}

/**
 * Sends a request to one target. Resolves with the answer once it is certain that there is one: for a stream
 * that is its first real event, so that until then another backend can still take over.
 */
export function createAttempt({ config }: Pick<Gateway, 'config'>, ticker: Ticker) {
  const common: Limits = { firstTokenMs: config.timeouts.first_token, idleMs: config.timeouts.idle }

  return async function attempt({ ctx, model, target, backend }: Attempt): Promise<Response | Failure> {
    const watchdog = createWatchdog(ctx.signal, ticker, { ...common, ...backend.timeouts })
    let begun = false // once an answer has begun, the backend has done the work; asking it again would do it twice
    try {
      const response = await backend.send(prepareCall(ctx, target, watchdog.signal))
      begun = true
      if (!response.ok) return await refused(response)
      // a stream that was asked for is read as one unless it says it is JSON; what is neither fails there
      const completion = isCompletion(ctx.operation)
      if (isEventStream(response) || (completion && ctx.payload.stream === true && !isJson(response))) {
        return await (isCompletion(ctx.operation)
          ? eventStream(ctx, ctx.operation, model, response, watchdog)
          : passedStream(ctx, model, response, watchdog))
      }
      // audio and images are what they are; text answers are JSON, whatever the backend calls them
      const opaque = ctx.operation === 'audio' || ctx.operation === 'images'
      if (opaque && !isJson(response)) return await passedStream(ctx, model, response, watchdog)
      return await wholeAnswer(ctx, model, response, watchdog)
    } catch (error) {
      const reason = watchdog.signal.aborted ? watchdog.signal.reason : error
      watchdog.abort(reason) // whatever went wrong here, the backend need not go on
      if (ctx.signal.aborted) throw ctx.signal.reason
      const failure = thrown(reason)
      return begun && failure.retry === 'again' ? { ...failure, retry: 'elsewhere' } : failure
    } finally {
      // a stream goes on under the same watchdog; whoever reads it stops it
      if (!watchdog.handedOver) watchdog.stop()
    }
  }
}
