/** How long a target wants to be left alone (429). It is not broken for that. */
export interface Patience {
  /** It has asked for so long, or has not said how long. */
  asked(ms: number | undefined): void
  /** It answers again. */
  answered(): void
  /** How much longer; 0 when it may be asked. */
  readonly leftMs: number
}

/** Without `Retry-After`: at first, and twice as long each time until it answers. */
const firstMs = 1_000
const longestGuessMs = 60_000
/** Longer than this nobody takes a target's word for it. */
const longestMs = 3_600_000

/** A target that has not asked for any. */
export function createPatience(now: () => number): Patience {
  let until = Number.NEGATIVE_INFINITY
  let guesses = 0
  return {
    asked(ms) {
      if (ms !== undefined) {
        until = Math.max(until, now() + Math.min(longestMs, ms))
      } else if (until <= now()) {
        // else it was refused at the same time as another one, which is one refusal
        until = now() + Math.min(longestGuessMs, firstMs * 2 ** guesses)
        guesses++
      }
    },
    answered() {
      guesses = 0
    },
    get leftMs() {
      return Math.max(0, until - now())
    },
  }
}
