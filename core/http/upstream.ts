import { GatewayError } from '../errors.ts'
import { isLoopback } from './loopback.ts'
import { sendForStream } from './stream-upstream.ts'

/** A request to a backend. */
export interface UpstreamInit {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: Uint8Array<ArrayBuffer> | string
  readonly signal: AbortSignal
  /** The answer is expected to be a stream. */
  readonly stream?: boolean
  /** Only for streams: the encoding is what the headers ask for, and stays as it is. */
  readonly raw?: boolean
}

/**
 * Sends one request to a backend and resolves with whatever status it answers. Throws a 502 when there was
 * no answer, or when the answer is a redirect: the prompt and the key stay with the configured host.
 */
export type Upstream = (url: string, init: UpstreamInit) => Promise<Response>

/** The one door to every backend. */
export const upstream: Upstream = async (url, init) => {
  const response = await (init.stream ? sendForStream : sendForAnswer)(url, init).catch((cause: unknown) => {
    if (init.signal.aborted) throw init.signal.reason
    throw new GatewayError(502, 'server_error', 'bad_gateway', 'Failed to connect to the model backend', {
      cause,
      neverReached: neverReached(cause),
    })
  })
  const { status } = response
  if ((status >= 200 && status < 300) || (status >= 400 && status < 600)) return response
  await response.body?.cancel()
  if (status < 300 || status >= 400)
    throw new GatewayError(502, 'server_error', 'bad_gateway', `The model backend answered with the status ${status}.`)
  throw new GatewayError(502, 'server_error', 'bad_gateway', 'The model backend answered with a redirect, which gatehouse does not follow.')
}

/**
 * `fetch`, without its own ideas of time: it would give up after 360 s, and the router keeps the clock. And without its
 * idea of HTTP_PROXY for this machine: it would hand prompts for a local model to the proxy.
 */
const sendForAnswer: Upstream = (url, { method, headers, body, signal }) =>
  fetch(url, {
    method,
    headers,
    signal,
    redirect: 'manual',
    timeout: false,
    ...(isLoopback(new URL(url).hostname) && { proxy: false }),
    ...(body === undefined ? {} : { body }),
  } as RequestInit)

/** Codes of connections that were never made, from `fetch` and from Node. */
const notConnected =
  /^(ConnectionRefused|FailedToOpenSocket|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|DNSException)$/
const reset = /^(ECONNRESET|EPIPE|ConnectionClosed)$/

/**
 * True when the backend cannot have begun to work on the request: nobody listened, or the connection was one
 * kept from earlier that turned out to be closed. `fetch` does not say whether a connection was kept, so
 * there a reset counts as one.
 */
export function neverReached(cause: unknown): boolean {
  const { code, reused = true } = cause as { readonly code?: unknown; readonly reused?: boolean }
  return notConnected.test(String(code)) || (reset.test(String(code)) && reused)
}
