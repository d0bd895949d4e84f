import { GatewayError } from '../errors.ts'
import type { Upstream } from '../http/upstream.ts'
import type { Operation } from '../openai.ts'
import type { Backend, BackendTimeouts, Call, ModelInfo } from './backend.ts'

export interface OpenAIOptions {
  readonly name: string
  readonly type: string
  /** Without a trailing slash and without `/v1`. */
  readonly baseUrl: string
  readonly apiKey?: string | undefined
  /** Sent with every request; wins over our own. */
  readonly headers?: Readonly<Record<string, string>>
  readonly timeouts?: Partial<BackendTimeouts>
  /** The server closes the connection after a stream although it promised to keep it. */
  readonly closesAfterStream?: boolean
  readonly upstream: Upstream
}

/** A model in the list of an upstream; the kinds of servers add fields of their own. */
export interface UpstreamModel {
  readonly id: string
  readonly owned_by?: string
  readonly created?: number
  readonly [field: string]: unknown
}

/** What OpenAI's own API has; it knows nothing of Anthropic's messages or of llama.cpp's paths. */
const openaiOperations = new Set<Operation>(['chat.completions', 'completions', 'embeddings', 'responses', 'audio', 'images'])

/** OpenAI itself. */
export const openaiBackend = (options: OpenAIOptions): Backend => ({
  ...compatibleBackend(options),
  speaks: operation => openaiOperations.has(operation),
})

/**
 * Any upstream that speaks the OpenAI dialect; nobody knows how much of it, so every operation is passed on
 * and the upstream says what it lacks. The other adapters are this one with some answers changed.
 */
export function compatibleBackend(options: OpenAIOptions): Backend {
  const { name, type, baseUrl, apiKey, headers, timeouts, closesAfterStream, upstream } = options
  const ours: Record<string, string> = { ...(apiKey && { authorization: `Bearer ${apiKey}` }), ...headers }

  return {
    name,
    type,
    ...(timeouts && { timeouts }),
    speaks: () => true,
    send(call: Call) {
      const stream = call.payload.stream === true
      const close = stream && closesAfterStream ? { connection: 'close' } : {}
      return upstream(baseUrl + call.path, {
        method: 'POST',
        headers: { ...call.headers, 'content-type': call.contentType, 'x-request-id': call.requestId, ...close, ...ours },
        body: call.wire(),
        signal: call.signal,
        stream,
      })
    },
    models: signal => listModels({ name, baseUrl, headers: ours, upstream }, signal, describe),
    async probe(signal) {
      await expectOk(upstream, `${baseUrl}/v1/models`, ours, signal)
    },
  }
}

/** `GET /v1/models` of an upstream; `toInfo` reads the fields this kind of server has. */
export async function listModels(
  { name, baseUrl, headers, upstream }: { name: string; baseUrl: string; headers: Record<string, string>; upstream: Upstream },
  signal: AbortSignal,
  toInfo: (model: UpstreamModel, name: string) => ModelInfo,
): Promise<ModelInfo[]> {
  const response = await expectOk(upstream, `${baseUrl}/v1/models`, headers, signal)
  const list = (await response.json().catch(() => undefined)) as { data?: unknown } | undefined
  if (!Array.isArray(list?.data)) {
    throw new GatewayError(502, 'server_error', 'bad_gateway', 'Failed to parse response from the model backend')
  }
  return list.data.map(model => toInfo(model as UpstreamModel, name))
}

/** A GET that must answer 200; otherwise a 502 that names the status. */
export async function expectOk(upstream: Upstream, url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  const response = await upstream(url, { method: 'GET', headers, signal })
  if (response.ok) return response
  await response.body?.cancel()
  throw new GatewayError(502, 'server_error', 'bad_gateway', `The model backend returned status ${response.status}`)
}

const describe = ({ id, owned_by, created }: UpstreamModel, name: string): ModelInfo => ({
  id,
  ownedBy: owned_by ?? name,
  ...(typeof created === 'number' && { created }),
})
