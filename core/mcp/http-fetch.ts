import { currentScope } from './request-scope.ts'
import { watchBody } from './watched-body.ts'

/** As in `json-lines.ts`. */
const longestMessage = 64 * 1024 * 1024

/** What the SDK's transports take for `fetch`. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

export interface HttpFetchOptions {
  readonly session: () => Bun.FetchSession
  /** A byte has come. */
  readonly onHeard: () => void
}

/**
 * `fetch` for one MCP server: without the runtime's own time limit, which would end a quiet stream after six minutes; with the
 * request's id, and its signal, so that a request that is given up holds no connection.
 */
export function createHttpFetch({ session, onHeard }: HttpFetchOptions): Fetch {
  return async (url, init = {}) => {
    const scope = currentScope()
    const isPost = init.method === 'POST'
    // what comes after the request itself is the news that it is cancelled, which must get there
    const mine = scope && !(isPost && scope.posted) ? scope : undefined
    if (mine && isPost) mine.posted = true
    const headers = new Headers(init.headers)
    if (mine?.requestId !== undefined) headers.set('x-request-id', mine.requestId)
    const signal = mine ? AbortSignal.any([mine.signal, ...(init.signal ? [init.signal] : [])]) : init.signal
    const response = await session().fetch(url, { ...(init as BunFetchRequestInit), headers, timeout: false, ...(signal && { signal }) })
    onHeard()
    if (!response.body) return response
    const isEvents = /^\s*text\/event-stream/i.test(response.headers.get('content-type') ?? '')
    const onEnd = (resumable: boolean) => isEvents && isPost && !resumable && mine?.onDeadEnd()
    const body = watchBody(response.body as ReadableStream<Uint8Array<ArrayBuffer>>, { onHeard, onEnd, isEvents, longest: longestMessage })
    const { status, statusText, headers: answered } = response
    return Object.defineProperty(new Response(body, { status, statusText, headers: answered }), 'url', { value: response.url })
  }
}
