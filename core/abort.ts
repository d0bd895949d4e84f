import { GatewayError } from './errors.ts'

/** Why a request ends before its time, when it does. */
export interface Abort {
  /**
   * Aborts with that reason. Made when it is first asked for: with its listeners it costs 4 µs, and nobody asks for it
   * when the answer is there at once.
   */
  readonly signal: AbortSignal
  /** Ends the request; only the first reason counts. */
  abort(reason: unknown): void
  /** Why it was ended; undefined as long as it goes on. */
  reason(): unknown
  /** The result of `work`, unless the request ends first. One at a time. */
  orAborted<T>(work: Promise<T>): Promise<T>
  /** Listens no longer: the request is over. */
  close(): void
}

/** The reason of a request whose client has gone. */
export const clientLeft = new GatewayError(499, 'client_closed_request', 'client_closed_request', 'The client closed the request.')

/** Listens to the client of a request, and to whoever calls `abort`. */
export function openAbort(request: Request): Abort {
  let controller: AbortController | undefined
  let why: unknown
  let rejectWork: ((reason: unknown) => void) | undefined

  const abort = (reason: unknown) => {
    if (why !== undefined) return
    why = reason
    rejectWork?.(reason)
    controller?.abort(reason)
  }
  const onClientLeft = () => abort(clientLeft)
  const open = () => {
    const opened = new AbortController()
    controller = opened
    if (why !== undefined) opened.abort(why)
    // a client that left before anybody asked is known all the same
    else if (request.signal.aborted) abort(clientLeft)
    else request.signal.addEventListener('abort', onClientLeft, { once: true })
    return opened
  }

  return {
    get signal() {
      return (controller ?? open()).signal
    },
    abort,
    reason() {
      if (why === undefined && request.signal.aborted) abort(clientLeft)
      return why
    },
    orAborted: work =>
      new Promise((resolve, reject) => {
        if (why !== undefined) reject(why)
        rejectWork = reject
        work.then(resolve, reject)
      }),
    close() {
      if (controller) request.signal.removeEventListener('abort', onClientLeft)
    },
  }
}
