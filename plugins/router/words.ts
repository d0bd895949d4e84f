import { GatewayError, type UpstreamError } from 'gatehouse'

type Headers = Readonly<Record<string, string>>

/**
 * A 4xx in the upstream's own words: for a wrong request they are the most useful ones. Type and code are
 * ours, because the servers' own (`BadRequestError`, `exceed_context_size_error`, a number) mean nothing to SDKs.
 */
export function wrongRequest(status: number, said: UpstreamError): GatewayError {
  const { message, param } = said
  if (status === 404 && !aboutModel.test(`${said.code} ${message}`)) return notOffered(said, 400)
  const code =
    said.code ?? (status === 404 ? 'model_not_found' : tooLong.test(`${said.type} ${message}`) ? 'context_length_exceeded' : null)
  return new GatewayError(status, 'invalid_request_error', code, message, param === undefined ? {} : { param })
}

/** A backend that asks for patience. */
export function busy({ message, type, code }: UpstreamError, headers: Headers): GatewayError {
  const spent = type === 'insufficient_quota' || code === 'insufficient_quota'
  return spent
    ? new GatewayError(429, 'insufficient_quota', 'insufficient_quota', message, { headers })
    : new GatewayError(429, 'rate_limit_error', 'rate_limit_exceeded', message, { headers })
}

/** A backend that cannot answer now: it loads its model, or its queue is full. */
export const unavailable = ({ message }: UpstreamError, headers: Headers): GatewayError =>
  new GatewayError(503, 'service_unavailable', 'model_unavailable', message, { headers: { 'retry-after': '5', ...headers } })

/** A backend that never can: it has no such path, or was started without the feature. SDKs need not try again. */
export const notOffered = ({ message }: UpstreamError, status = 501): GatewayError =>
  new GatewayError(status, status < 500 ? 'invalid_request_error' : 'server_error', 'unsupported_operation', message, {
    headers: { 'x-should-retry': 'false' },
  })

/** A stream that its backend ended with an error. */
export const midStream = ({ message, code }: UpstreamError): GatewayError =>
  new GatewayError(502, 'server_error', code ?? 'bad_gateway', message)

/** What breaking off means: the watchdog's reason when it was the watchdog, else the connection. */
export const brokenOff = (cause: unknown, watchdog: AbortSignal): GatewayError => {
  const reason = watchdog.aborted ? watchdog.reason : cause
  if (reason instanceof GatewayError) return reason
  return new GatewayError(502, 'server_error', 'bad_gateway', 'The connection to the model backend broke in the middle of its answer.', {
    cause,
  })
}

const aboutModel = /model/i
const tooLong = /exceed_context_size|exceeds the available context|maximum context length|context_length_exceeded/i
