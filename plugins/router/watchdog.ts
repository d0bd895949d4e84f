import { GatewayError } from 'gatehouse'
import type { Ticker } from './ticker.ts'

/** Aborts an upstream call that stays silent too long, and when the request itself ends. */
export interface Watchdog {
  /** Give it to the upstream call. */
  readonly signal: AbortSignal
  /** Call it for every sign of life. */
  touch(): void
  /** Nobody is asking the backend for more: its silence does not count until the next `touch`. */
  rest(): void
  /** From now on the limit between two bytes counts, no longer the one for the first. */
  begun(): void
  /** The answer is over; nothing is aborted any more. */
  stop(): void
  /** A stream takes over: the attempt that opened it no longer stops the watchdog, and `keeper` is told when that is over. */
  handOver(): void
  readonly handedOver: boolean
  /** Ends the upstream call. */
  abort(reason: unknown): void
  /** The same, because the backend did something wrong. */
  fail(reason: unknown): void
}

/** Who wants to know what becomes of a call. */
export interface Keeper {
  /** A stream is read from now on. */
  handedOver(): void
  /** It has ended, once; `failed` when that was the backend's fault. Not called for calls that were not handed over. */
  over(failed: boolean): void
}

export interface Limits {
  readonly firstTokenMs: number
  readonly idleMs: number
}

/** A sign of life only notes the time; the ticker looks how long ago that was. */
export function createWatchdog(request: AbortSignal, ticker: Ticker, { firstTokenMs, idleMs }: Limits, keeper: Keeper): Watchdog {
  const upstream = new AbortController()
  let limitMs = firstTokenMs
  let phase: 'first_token' | 'idle' = 'first_token'
  let lastSign = performance.now()
  let handedOver = false

  let told = false
  const stop = (failed = false) => {
    ticker.unwatch(look)
    request.removeEventListener('abort', onRequestAbort)
    if (!handedOver || told) return
    told = true
    keeper.over(failed)
  }
  const onRequestAbort = () => {
    stop()
    upstream.abort(request.reason)
  }
  const look = () => {
    if (performance.now() - lastSign < limitMs) return
    stop(true)
    upstream.abort(tooLong(phase))
  }

  if (request.aborted) upstream.abort(request.reason)
  else {
    request.addEventListener('abort', onRequestAbort, { once: true })
    ticker.watch(look)
  }
  return {
    signal: upstream.signal,
    touch() {
      lastSign = performance.now()
    },
    rest() {
      lastSign = Number.POSITIVE_INFINITY
    },
    begun() {
      lastSign = performance.now()
      phase = 'idle'
      limitMs = idleMs
    },
    stop: () => stop(),
    handOver() {
      handedOver = true
      keeper.handedOver()
    },
    get handedOver() {
      return handedOver
    },
    abort(reason) {
      stop()
      upstream.abort(reason)
    },
    fail(reason) {
      stop(true)
      upstream.abort(reason)
    },
  }
}

const tooLong = (phase: 'first_token' | 'idle') =>
  new GatewayError(
    504,
    'server_error',
    `timeout_${phase}`,
    phase === 'idle'
      ? 'The model backend fell silent in the middle of its answer.'
      : 'The model backend took too long to begin its answer.',
  )
