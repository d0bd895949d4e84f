import type { Limits } from './entry.ts'
import type { Pace } from './pace.ts'
import type { Refusal, RefusalReason } from './refusal.ts'

/** What there is to judge by. */
export interface JudgeOptions {
  readonly model: string
  readonly queue: { readonly length: number; lengthOf(key: string): number }
  readonly pace: Pace
  slots(): number
  limits(): Limits
}

/** Says who may not wait. */
export interface Judge {
  /** Of the request that has just come into the queue; undefined when it may stay. */
  ofNewest(key: string, position: number): Refusal | undefined
  refuse(reason: RefusalReason, position: number): Refusal
}

/**
 * A key may have so many times what is still free in the queue: one alone fills four fifths of it, two have four ninths each.
 * Nobody can fill it up and have the others refused, and nobody has to be thrown out again to make room for them.
 */
const mostOfFree = 4
/** Estimates err; only a wait that would be this many times too long is refused at once. */
const doubt = 2
const usualRetryS = 5
const longestRetryS = 60

/** Judges by the limits that hold at the moment. */
export function createJudge({ model, queue, pace, slots, limits }: JudgeOptions): Judge {
  const reasonOf = (key: string, position: number): RefusalReason | undefined => {
    const { maxLength, maxPerKey, maxWaitMs } = limits()
    if (queue.length > maxLength) return 'queue_full'
    const others = queue.lengthOf(key) - 1
    if (others >= maxPerKey || others >= mostOfFree * (maxLength - queue.length + 1)) return 'key_queue_full'
    const waitMs = pace.waitMs(position, slots())
    return waitMs !== undefined && waitMs > doubt * maxWaitMs ? 'queue_too_slow' : undefined
  }
  const refuse = (reason: RefusalReason, position: number): Refusal => {
    const waitMs = pace.waitMs(position, slots())
    const seconds = waitMs === undefined ? usualRetryS : Math.ceil(waitMs / 1000)
    return { state: 'refused', reason, model, position, retryAfterS: Math.min(longestRetryS, Math.max(1, seconds)) }
  }
  return {
    refuse,
    ofNewest(key, position) {
      const reason = reasonOf(key, position)
      return reason && refuse(reason, position)
    },
  }
}
