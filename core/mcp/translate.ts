import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js'
import { McpFailure } from './mcp-failure.ts'

/** What of a server's own words is handed on. */
const longestWords = 500

/** An error of the SDK in our own words, with what the server said in it but no more than `longestWords` of that. */
export function translate(error: unknown): McpFailure {
  if (error instanceof McpFailure) return error
  if (error instanceof McpError) return translateMcpError(error)
  const status = statusOf(error)
  if (status !== undefined) {
    // a server that has forgotten a session answers 404, and some 400: it has not looked at the request
    return failure(
      'unavailable',
      `the server answered with the HTTP status ${status}${hints[status] ?? ''}`,
      error,
      [400, 404].includes(status),
    )
  }
  const { code, message } = asError(error)
  if (refusedCodes.has(code)) return failure('unavailable', 'nobody answers at its address', error, true)
  if (brokenCodes.has(code)) return failure('gone', 'the connection to the server broke off', error)
  if (looksInvalid(error)) return failure('broken', 'the server answered with something that is not what the protocol asks for', error)
  return failure('unavailable', cut(message), error)
}

/** True for errors of the connection: then the server itself may be gone. */
export const concernsConnection = (error: unknown): boolean => !(error instanceof McpError) && !looksInvalid(error)

const failure = (reason: McpFailure['reason'], message: string, cause: unknown, neverReached = false) =>
  new McpFailure(reason, message, { cause, neverReached })

function translateMcpError(error: McpError): McpFailure {
  const words = cut(error.message.replace(/^MCP error -?\d+: /, ''))
  const extra = { code: error.code, cause: error }
  if (error.code === ErrorCode.ConnectionClosed) return new McpFailure('gone', 'the connection to the server ended', extra)
  if (error.code === ErrorCode.RequestTimeout) return new McpFailure('timeout', 'the server did not answer in time', extra)
  return new McpFailure('refused', words === '' ? `the server answered with the error ${error.code}` : words, extra)
}

const hints: Readonly<Record<number, string>> = {
  401: ' (it wants other credentials; see its headers in the config)',
  403: ' (our credentials do not suffice)',
  404: ' (is the path of its url right?)',
  405: ' (is the path of its url right, and its transport?)',
}

/** Bun's words and Node's. */
const refusedCodes = new Set(['ConnectionRefused', 'ECONNREFUSED', 'ENOTFOUND', 'FailedToOpenSocket', 'DNSResolveFailed'])

const brokenCodes = new Set(['ECONNRESET', 'ConnectionClosed', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'])

/** Of Streamable HTTP, of an event stream, or of the older transport's POST, which only has words. */
export function statusOf(error: unknown): number | undefined {
  const { code, message } = asError(error)
  const number =
    error instanceof StreamableHTTPError || /^SSE error/.test(message) ? Number(code) : Number(/\(HTTP (\d{3})\)/.exec(message)?.[1])
  return number >= 300 && number <= 599 ? number : undefined
}

const asError = (error: unknown) => {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  return { code: String(code ?? ''), message: typeof message === 'string' ? message : String(error) }
}

/** What does not fit a schema, and what is no JSON. */
const looksInvalid = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'ZodError' || 'issues' in error || error instanceof SyntaxError)

const cut = (text: string) => (text.length <= longestWords ? text : `${text.slice(0, longestWords)}…`)
