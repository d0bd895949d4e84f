import { type ErrorEnvelope, errorResponse, GatewayError } from '../../errors.ts'
import { parseJson } from '../../http/json-object.ts'
import { readShort } from '../../http/limited.ts'
import { describeError, longestBody } from '../../http/upstream-error.ts'

/** An error status of Ollama as OpenAI's error, with Ollama's words where a client may see them. */
export const toErrorResponse = async (response: Response, requestId: string): Promise<Response> =>
  errorResponse(await readError(response), requestId)

/** The same as an error to throw. */
export async function readError(response: Response): Promise<GatewayError> {
  const { status, headers } = response
  const said = messageIn(parseJson(await readShort(response.body, longestBody)))
  const message = said ?? `Ollama returned status ${status}`
  const retryAfter = headers.get('retry-after')
  const extra = retryAfter === null ? {} : { headers: { 'retry-after': retryAfter } }
  // The key that was refused is gatehouse's own, so to the client it is a fault of the house; the router says so.
  if (status === 401 || status === 403) {
    return new GatewayError(status, 'server_error', 'bad_gateway', 'Ollama refused the request of the gateway.')
  }
  if (status === 404) {
    // A path it does not know Ollama answers in plain text; everything else that it does not find is a model.
    if (said === undefined)
      return new GatewayError(502, 'server_error', 'bad_gateway', 'This Ollama does not offer the operation; it may be too old.')
    return new GatewayError(404, 'invalid_request_error', 'model_not_found', message, { param: 'model' })
  }
  // Ollama's runner says how it should have been started, which helps nobody here.
  if (status === 501)
    return new GatewayError(501, 'server_error', 'unsupported_operation', 'The model does not support this operation.', { param: 'model' })
  if (status === 429) return new GatewayError(429, 'rate_limit_error', 'rate_limit_exceeded', message, extra)
  if (status === 503) return new GatewayError(503, 'service_unavailable', 'model_unavailable', message, extra)
  if (status >= 500) return new GatewayError(status, 'server_error', null, message, extra)
  return new GatewayError(
    status,
    'invalid_request_error',
    /context (size|length)/.test(message) ? 'context_length_exceeded' : null,
    message,
  )
}

/** The envelope for an error inside a stream, where the router puts in the request's id. */
export function inStreamError(error: GatewayError | string): { readonly error: Omit<ErrorEnvelope['error'], 'request_id'> } {
  const message = error instanceof GatewayError ? error.message : (messageIn({ error }) ?? error)
  return { error: { message, type: 'server_error', param: null, code: null } }
}

/** What an error body says, as far as a client may read it. Ollama passes its runner's whole body on as one string. */
function messageIn(body: unknown): string | undefined {
  const message = describeError(body)?.message
  if (message === undefined) return undefined
  return (describeError(parseJson(message))?.message ?? message).replace(address, '<address>')
}

/** Ollama's runners listen on ports of their own, which is nobody's business outside. */
const address = /(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}|\[[\da-f:]+\])(?::\d+)?(?![\w.])/gi
