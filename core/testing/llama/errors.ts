import type { Refusal } from '../behaviour/scenario.ts'
import type { Reply } from '../behaviour/writer.ts'

/** The headers of every answer of llama-server. */
export const llamaHeaders = {
  server: 'llama.cpp',
  'access-control-allow-origin': '',
  'content-type': 'application/json; charset=utf-8',
}

const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  404: 'not_found_error',
  500: 'server_error',
  501: 'not_supported_error',
  503: 'unavailable_error',
}

/** llama-server's error body, from ggml-org/llama.cpp tools/server/server-common.cpp (format_error_response). */
export function llamaError(status: number, message: string, more: Readonly<Record<string, unknown>> = {}): Reply {
  const error = { code: status, message, type: types[status] ?? 'server_error', ...more }
  // An error announces that the connection will be closed.
  return { status, body: { error }, headers: { ...llamaHeaders, connection: 'close' } }
}

/** The answer to everything while the model loads (server-http.cpp, middleware_server_state). */
export const loadingReply: Reply = llamaError(503, 'Loading model')

/** What llama-server says instead of an answer. */
export function llamaRefusal(why: Refusal | 'fail', model: string): Reply {
  switch (why) {
    case 'missing':
      // Only its router mode looks at the name (server-models.cpp).
      return llamaError(400, `model '${model}' not found`)
    case 'notools':
      return llamaError(500, 'tools param requires --jinja flag')
    case 'overflow': {
      const message = 'request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it'
      return llamaError(400, message, { type: 'exceed_context_size_error', n_prompt_tokens: 9000, n_ctx: 4096 })
    }
    case 'busy':
      return withRetry(llamaError(429, 'Too many requests'), 60)
    case 'busy-once':
      return withRetry(llamaError(429, 'Too many requests'), 1)
    case 'down':
      return llamaError(503, 'no slot available')
    case 'loading':
      return loadingReply
    default:
      return llamaError(500, 'Compute error.')
  }
}

// llama-server queues instead of refusing; a 429 comes from a proxy in front of it.
function withRetry(reply: Reply, seconds: number): Reply {
  return { ...reply, headers: { ...reply.headers, 'retry-after': String(seconds) } }
}
