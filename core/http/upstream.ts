import { GatewayError } from '../errors.ts'

/** A request to a backend. */
export interface UpstreamInit {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: Uint8Array<ArrayBuffer> | string
  readonly signal: AbortSignal
}

/**
 * Sends one request to a backend and resolves with whatever status it answers. Throws a 502 when there was
 * no answer, or when the answer is a redirect: the prompt and the key stay with the configured host.
 */
export type Upstream = (url: string, init: UpstreamInit) => Promise<Response>

/** `fetch`, without its own ideas of time: it would give up after 360 s, and the router keeps the clock. */
export const upstream: Upstream = async (url, { method, headers, body, signal }) => {
  const response = await fetch(url, {
    method,
    headers,
    signal,
    redirect: 'manual',
    timeout: false,
    ...(body === undefined ? {} : { body }),
  } as RequestInit).catch((cause: unknown) => {
    if (signal.aborted) throw signal.reason
    throw new GatewayError(502, 'server_error', 'bad_gateway', 'Failed to connect to the model backend', { cause })
  })
  if (response.status < 300 || response.status >= 400) return response
  await response.body?.cancel()
  throw new GatewayError(502, 'server_error', 'bad_gateway', 'The model backend answered with a redirect, which gatehouse does not follow.')
}
