import type { Progress } from './types.ts'

/** What ends a request to a server, and who hears of it meanwhile. */
export interface Limits {
  /** Aborts with what the request is to be rejected with. */
  readonly signal: AbortSignal
  readonly requestId?: string | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** A signal that aborts after a time, and when another one does. Close it: it holds a timer and a listener. */
export interface Limit extends Disposable {
  readonly signal: AbortSignal
}

export function openLimit(ms: number, late: () => unknown, outer?: AbortSignal): Limit {
  const controller = new AbortController()
  const leave = () => controller.abort(outer?.reason)
  if (outer?.aborted) leave()
  else outer?.addEventListener('abort', leave, { once: true })
  const timer = setTimeout(() => controller.abort(late()), ms)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer)
      outer?.removeEventListener('abort', leave)
    },
  }
}

/** The result of `work`, unless the signal aborts first; then its reason. `work` goes on and is not heard any more. */
export function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
