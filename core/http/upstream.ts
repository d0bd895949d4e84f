import { GatewayError } from '../errors.ts'
import { sendForStream } from './stream-upstream.ts'

/** A request to a backend. */
export interface UpstreamInit {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: Uint8Array<ArrayBuffer> | string
  readonly signal: AbortSignal
  /** The answer is expected to be a stream. */
  readonly stream?: boolean
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
    throw new GatewayError(502, 'server_error', 'bad_gateway', 'Failed to connect to the model backend', { cause })
  })
  if (response.status < 300 || response.status >= 400) return response
  await response.body?.cancel()
  throw new GatewayError(502, 'server_error', 'bad_gateway', 'The model backend answered with a redirect, which gatehouse does not follow.')
}

/** `fetch`, without its own ideas of time: it would give up after 360 s, and the router keeps the clock. */
const sendForAnswer: Upstream = (url, { method, headers, body, signal }) =>
  fetch(url, { method, headers, signal, redirect: 'manual', timeout: false, ...(body === undefined ? {} : { body }) } as RequestInit)
