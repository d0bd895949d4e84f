import { GatewayError } from '../../errors.ts'
import { longestAnswer, readAtMost } from '../../http/limited.ts'
import type { Upstream } from '../../http/upstream.ts'
import type { Payload } from '../../openai.ts'
import { type OllamaAnswer, parseAnswer, unreadable } from './answer.ts'
import type { Json } from './values.ts'

/** Where Ollama is and how to talk to it. */
export interface ClientOptions {
  /** Without a trailing slash and without `/v1`. */
  readonly baseUrl: string
  readonly apiKey?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly send: Upstream
}

/** What a request to Ollama takes from the call it serves. */
export interface Asking {
  readonly requestId?: string
  /** Headers of the client that a backend should see. */
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** The client's request: whether its answer is a stream. */
  readonly payload?: Readonly<Payload>
}

/** The HTTP side of the adapter. Resolves with any status; throws when there was no answer. */
export interface OllamaClient {
  get(path: string, asking: Asking): Promise<Response>
  post(path: string, body: Json, asking: Asking): Promise<Response>
  /** Sends bytes that need no translation. */
  forward(path: string, body: Uint8Array<ArrayBuffer>, contentType: string, asking: Asking): Promise<Response>
}

/** Makes the client; headers are put together once. */
export function ollamaClient({ baseUrl, apiKey, headers, send }: ClientOptions): OllamaClient {
  const own = lowerCased({ ...(apiKey && { authorization: `Bearer ${apiKey}` }), ...headers })

  const request = async (
    method: string,
    path: string,
    asking: Asking,
    more: Record<string, string>,
    body?: string | Uint8Array<ArrayBuffer>,
  ) => {
    const id = asking.requestId === undefined ? {} : { 'x-request-id': asking.requestId }
    const stream = asking.payload?.stream === true
    const init = { method, headers: { ...asking.headers, ...more, ...id, ...own }, signal: asking.signal, stream }
    try {
      return await send(baseUrl + path, body === undefined ? init : { ...init, body })
    } catch (error) {
      throw connectFailure(error)
    }
  }

  return {
    get: (path, asking) => request('GET', path, asking, { accept: 'application/json' }),
    post(path, body, asking) {
      const accept = body.stream ? 'application/x-ndjson' : 'application/json'
      return request('POST', path, asking, { 'content-type': 'application/json', accept }, JSON.stringify(body))
    },
    forward: (path, body, contentType, asking) => request('POST', path, asking, { 'content-type': contentType, accept: '*/*' }, body),
  }
}

/** Header names are one name in any case; an object would send both spellings. */
const lowerCased = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** A failed connection in LlamaGate's words. A refused redirect comes without a cause and speaks for itself. */
function connectFailure(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.status !== 502 || error.extra.cause === undefined) return error
  return new GatewayError(502, 'server_error', 'bad_gateway', 'Failed to connect to Ollama', error.extra)
}

/** Reads a whole answer. Throws a 502 in LlamaGate's words when it breaks off or is not a JSON object. */
export async function readAnswer(response: Response, signal: AbortSignal): Promise<OllamaAnswer & Json> {
  const bytes = await readAtMost(response.body, longestAnswer).catch((cause: unknown) => {
    if (signal.aborted) throw signal.reason
    throw new GatewayError(502, 'server_error', 'bad_gateway', 'Failed to read response from Ollama', { cause })
  })
  const answer = parseAnswer(new TextDecoder().decode(bytes))
  if (!answer) throw unreadable()
  return answer as OllamaAnswer & Json
}
