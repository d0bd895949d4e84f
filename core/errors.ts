/** Values of `error.type`. OpenAI's and LlamaGate's; SDKs and scripts branch on them. */
export type ErrorType =
  | 'invalid_request_error'
  | 'permission_error'
  | 'not_found'
  | 'rate_limit_error'
  | 'insufficient_quota'
  | 'server_error'
  | 'service_unavailable'
  | (string & {})

export interface ErrorExtra {
  /** Headers of the error response, for example `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>
  /** The request field that is wrong. */
  readonly param?: string
  /** The backend cannot have begun to work on the request, so that sending it again does nothing twice. */
  readonly neverReached?: boolean
  /** What happened underneath; for the log, never for the client. */
  readonly cause?: unknown
}

/** The one error the pipeline knows. Anything else that is thrown is a bug and becomes a bare 500. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  constructor(
    readonly status: number,
    readonly type: ErrorType,
    readonly code: string | null,
    message: string,
    readonly extra: ErrorExtra = {},
  ) {
    super(message, { cause: extra.cause })
  }
}

/** A start-up mistake of the operator: wrong setting, missing file. Printed as one line, exit code 1. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** OpenAI's error object, as every error body and every error event carries it. */
export interface ErrorEnvelope {
  readonly error: {
    readonly message: string
    readonly type: ErrorType
    readonly param: string | null
    readonly code: string | null
    readonly request_id: string
  }
}

/** The envelope for an error; the message of an unknown error never leaves the house. */
export function errorEnvelope(error: unknown, requestId: string): ErrorEnvelope {
  const { message, type, code, extra } = asGatewayError(error)
  return { error: { message, type, param: extra.param ?? null, code, request_id: requestId } }
}

/** The JSON response for an error. */
export function errorResponse(error: unknown, requestId: string): Response {
  const { status, extra } = asGatewayError(error)
  // a plugin's or an upstream's number is not to be trusted: a Response throws for what is no status
  const known = Number.isInteger(status) && status >= 400 && status <= 599
  return Response.json(errorEnvelope(error, requestId), { status: known ? status : 502, headers: { ...extra.headers } })
}

const encoder = new TextEncoder()

/**
 * The last event of a stream that failed after its headers had left. No `[DONE]` follows it. Anthropic's
 * clients go by the event's name, so theirs has one (docs.anthropic.com, streaming, error events).
 */
export function errorEvent(error: unknown, requestId: string, operation = ''): Uint8Array {
  const envelope = errorEnvelope(error, requestId)
  if (operation !== 'messages') return encoder.encode(`data: ${JSON.stringify(envelope)}\n\n`)
  return encoder.encode(`event: error\ndata: ${JSON.stringify({ type: 'error', ...envelope })}\n\n`)
}

const asGatewayError = (error: unknown): GatewayError =>
  error instanceof GatewayError
    ? error
    : new GatewayError(
        500,
        'server_error',
        'internal_error',
        'gatehouse failed to handle this request. The log has the details under its request id.',
      )

/** A 400 that names the field at fault. */
export const invalidRequest = (message: string, code: string, param?: string): GatewayError =>
  new GatewayError(400, 'invalid_request_error', code, message, param === undefined ? {} : { param })

/** The 404 for a name that nobody serves. */
export const modelNotFound = (name: string): GatewayError =>
  new GatewayError(
    404,
    'invalid_request_error',
    'model_not_found',
    `The model '${name}' does not exist here. GET /v1/models lists what there is.`,
    { param: 'model' },
  )
