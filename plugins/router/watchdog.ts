import { GatewayError } from 'gatehouse'

/** Aborts an upstream call that stays silent too long, and when the request itself ends. */
export interface Watchdog {
  /** Give it to the upstream call. */
  readonly signal: AbortSignal
  /** Call it for every sign of life. */
  touch(): void
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

/**
 * One timer for a whole stream: a sign of life only notes the time, and the timer, when it fires, looks how
 * long ago that was. Resetting a timer for every event would cost more than forwarding it.
 */
export function createWatchdog(request: AbortSignal, { firstTokenMs, idleMs }: Limits): Watchdog {
  const upstream = new AbortController()
  let limitMs = firstTokenMs
  let phase: 'first_token' | 'idle' = 'first_token'
  let lastSign = performance.now()
  let timer: Timer | undefined
  let handedOver = false

  const stop = () => {
    clearTimeout(timer)
    request.removeEventListener('abort', onRequestAbort)
  }
  const onRequestAbort = () => {
    stop()
    upstream.abort(request.reason)
  }
  const look = () => {
    const left = limitMs - (performance.now() - lastSign)
    if (left > 0) return arm(left)
    stop()
    upstream.abort(tooLong(phase))
  }
  const arm = (ms: number) => {
    // a delay over 2³¹-1 ms would fire at once
    if (Number.isFinite(ms)) timer = setTimeout(look, Math.min(ms, 2 ** 31 - 1))
  }

  if (request.aborted) upstream.abort(request.reason)
  else {
    request.addEventListener('abort', onRequestAbort, { once: true })
    arm(limitMs)
  }
  return {
    signal: upstream.signal,
    touch() {
      lastSign = performance.now()
    },
    begun() {
      lastSign = performance.now()
      phase = 'idle'
      if (limitMs === idleMs) return
      limitMs = idleMs
      clearTimeout(timer)
      arm(limitMs)
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
