import {
  type Backend,
  type Context,
  type Gateway,
  GatewayError,
  isEventStream,
  isJson,
  type ResolvedModel,
  type Started,
  type Target,
} from 'gatehouse'
import { isCompletion, wholeAnswer } from './answer.ts'
import { prepareCall } from './call.ts'
import { type Failure, refused, thrown } from './failure.ts'
import { eventStream, passedStream } from './stream.ts'
import type { Ticker } from './ticker.ts'
import { createWatchdog, type Keeper, type Limits } from './watchdog.ts'

/** A request, and where it is sent. */
export interface Sending {
  readonly ctx: Context
  readonly model: ResolvedModel
  readonly target: Target
  readonly backend: Backend
  /** Calls back when the server is gone; left out for servers that others look after. */
  readonly onGone?: Started['onGone'] | undefined
}

/** Sends a request to one target; the keeper hears what becomes of a stream. */
export type SendTo = (sending: Sending, keeper: Keeper) => Promise<Response | Failure>

/** For a connection to fail once its server is gone. */
const connectionTellsMs = 100

/**
 * Sends a request to one target. Resolves with the answer once it is certain that there is one: for a stream
 * that is its first real event, so that until then another backend can still take over.
 */
export function createSender({ config }: Pick<Gateway, 'config'>, ticker: Ticker): SendTo {
  const common: Limits = { firstTokenMs: config.timeouts.first_token, idleMs: config.timeouts.idle }

  return async function send({ ctx, model, target, backend, onGone }, keeper) {
    const watchdog = createWatchdog(
      ctx.signal,
      ticker,
      { ...common, ...backend.timeouts },
      {
        handedOver: keeper.handedOver,
        over(failed) {
          stopListening?.()
          keeper.over(failed)
        },
      },
    )
    const stopListening = onGone?.(reason => {
      // a crash: the connection tells first, as a rule, and whether the request can have got there at all
      if (reason instanceof GatewayError && reason.status !== 502) watchdog.fail(reason)
      else setTimeout(() => watchdog.fail(reason), connectionTellsMs)
    })
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
      if (!watchdog.handedOver) {
        watchdog.stop()
        stopListening?.()
      }
    }
  }
}
