import { AsyncLocalStorage } from 'node:async_hooks'

/** One request of ours to an HTTP server, as `fetch` has to know it: the SDK hands on neither signals nor headers of a request. */
export interface RequestScope {
  readonly requestId: string | undefined
  /** Ends what it has open at the server. */
  readonly signal: AbortSignal
  /** It has been posted; a further POST is a notification that it is cancelled. */
  posted: boolean
  /** The stream that should have brought the answer has ended, and nothing in it would let us go on with another. */
  onDeadEnd: () => void
}

const scopes = new AsyncLocalStorage<RequestScope>()

/** Whatever is fetched by `work`, now or later, belongs to the request. */
export const inScope = <T>(scope: RequestScope, work: () => T): T => scopes.run(scope, work)

/** The request that a fetch belongs to; undefined for pings, lists and streams of their own. */
export const currentScope = (): RequestScope | undefined => scopes.getStore()
