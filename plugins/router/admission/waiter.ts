import type { Ticket } from './entry.ts'
import type { Refusal } from './refusal.ts'

/** Somebody who waits for an answer, as long as the signal is not aborted. */
export interface Waiter {
  readonly ready: Promise<Ticket | Refusal>
  /** From now on an abort counts. */
  listen(): void
  settle(answer: Ticket | Refusal): void
}

/** `leave` is called when it is aborted. */
export function createWaiter(signal: AbortSignal, leave: () => void): Waiter {
  const { promise, resolve, reject } = Promise.withResolvers<Ticket | Refusal>()
  promise.catch(() => {}) // who aborts may not be listening any more
  const onAbort = () => {
    reject(signal.reason)
    leave()
  }
  return {
    ready: promise,
    listen: () => signal.addEventListener('abort', onAbort, { once: true }),
    settle(answer) {
      signal.removeEventListener('abort', onAbort)
      resolve(answer)
    },
  }
}
