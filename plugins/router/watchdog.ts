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
  /** A stream takes over: the attempt that opened it no longer stops the watchdog. */
  handOver(): void
  readonly handedOver: boolean
  /** Ends the upstream call. */
  abort(reason: unknown): void
}

export interface Limits {
  readonly firstTokenMs: number
  readonly idleMs: number
}

/** A sign of life only notes the time; the ticker looks how long ago that was. */
export function createWatchdog(request: AbortSignal, ticker: Ticker, { firstTokenMs, idleMs }: Limits): Watchdog {
  const upstream = new AbortController()
  let limitMs = firstTokenMs
  let phase: 'first_token' | 'idle' = 'first_token'
  let lastSign = performance.now()
  let handedOver = false

  const stop = () => {
    ticker.unwatch(look)
    request.removeEventListener('abort', onRequestAbort)
  }
  const onRequestAbort = () => {
    stop()
    upstream.abort(request.reason)
  }
  const look = () => {
    if (performance.now() - lastSign < limitMs) return
    stop()
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
    stop,
    handOver() {
      handedOver = true
    },
    get handedOver() {
      return handedOver
    },
    abort(reason) {
      stop()
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
