import type { TargetRecord } from './target-record.ts'

/** One request at one target, from when it is sent until its last byte. Whoever began it must end it. */
export interface Attempt {
  /** The answer has begun, or the target has refused a request that was wrong: either way it works. */
  answered(): void
  /** The same, of a stream: how long that took is remembered. */
  firstToken(): void
  /** There was no answer, or it broke off in the middle. */
  failed(): void
  /** The target asked for patience (429), for so long if it said so. */
  limited(retryAfterMs?: number): void
  /** The request is over. Without any of the above it tells nothing of the target: the client has left. Twice is once. */
  end(): void
}

/** `onAnswer` is called once, with the first byte of an answer. */
export function beginAttempt(record: TargetRecord, now: () => number, onAnswer: () => void): Attempt {
  const pass = record.breaker.begin()
  const begunAt = now()
  let answering = false
  let ended = false
  record.inFlight++
  record.requests++
  record.passedOver = 0

  const answered = () => {
    pass.answered()
    if (answering) return
    answering = true
    onAnswer()
  }
  return {
    answered,
    firstToken() {
      if (!answering) record.firstToken.add(now() - begunAt)
      answered()
    },
    failed() {
      if (!ended) record.failures++
      pass.failed()
    },
    limited: pass.limited,
    end() {
      if (ended) return
      ended = true
      record.inFlight--
      pass.left()
    },
  }
}
