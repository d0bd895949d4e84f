import { GatewayError } from 'gatehouse'

/** Why a request gets no place. */
export type RefusalReason = 'queue_full' | 'key_queue_full' | 'queue_too_slow' | 'queue_timeout'

/** The answer to a request that gets no place in the queue, or has lost it. */
export interface Refusal {
  readonly state: 'refused'
  readonly reason: RefusalReason
  readonly model: string
  /** Its place in the queue, or the one it would have had. The next to go is 1. */
  readonly position: number
  /** When it is worth another try. */
  readonly retryAfterS: number
}

interface Words {
  readonly status: number
  readonly type: string
  readonly code: string
  readonly message: (refusal: Refusal) => string
}

const words: Readonly<Record<RefusalReason, Words>> = {
  queue_full: {
    ...{ status: 503, type: 'service_unavailable', code: 'queue_full' },
    message: ({ model, position }) => `The queue of '${model}' is full; this request would have been number ${position}. Try again later.`,
  },
  key_queue_full: {
    ...{ status: 429, type: 'rate_limit_error', code: 'key_queue_full' },
    message: ({ model }) => `Too many requests of this API key wait for '${model}' already. Try again when some of them are answered.`,
  },
  queue_too_slow: {
    ...{ status: 503, type: 'service_unavailable', code: 'queue_too_slow' },
    message: ({ model, position }) =>
      `The queue of '${model}' is so long that this request, as number ${position}, would wait in vain. Try again later.`,
  },
  queue_timeout: {
    ...{ status: 504, type: 'server_error', code: 'timeout_queue' },
    message: ({ model, position }) => `The request waited too long for '${model}'; it was number ${position} in the queue.`,
  },
}

/** A refusal as its client gets it. */
export function refusalError(refusal: Refusal): GatewayError {
  const { status, type, code, message } = words[refusal.reason]
  const headers = { 'retry-after': String(refusal.retryAfterS), 'x-gatehouse-queue-position': String(refusal.position) }
  return new GatewayError(status, type, code, message(refusal), { headers })
}
