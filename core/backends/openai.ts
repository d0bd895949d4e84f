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
  readonly upstream: Upstream
}

/** Where a kind of server differs from a plain one. */
export interface Quirks {
  /** The operations it knows; left out, it is asked for everything and says itself what it lacks. */
  readonly operations?: ReadonlySet<Operation>
  /** Answers 200 when it is well. */
  readonly healthPath?: string
  /** Its model's context length, in tokens, where the list tells it. */
  readonly contextLength?: (model: UpstreamModel) => unknown
  /** It closes the connection after a stream although it promised to keep it. */
  readonly closesAfterStream?: boolean
}

/** A model in the list of an upstream; the kinds of servers add fields of their own. */
export interface UpstreamModel {
  readonly id: string
  readonly owned_by?: string
  readonly created?: number
  readonly [field: string]: unknown
}

/** OpenAI itself; it knows nothing of Anthropic's messages or of llama.cpp's paths. */
export const openaiBackend = (options: OpenAIOptions): Backend =>
  compatibleBackend(options, {
    operations: new Set<Operation>(['chat.completions', 'completions', 'embeddings', 'responses', 'audio', 'images']),
  })

/** Any upstream that speaks the OpenAI dialect. The other adapters are this one with the quirks of their server. */
export function compatibleBackend(
  { name, type, baseUrl, apiKey, headers, timeouts, upstream }: OpenAIOptions,
  { operations, healthPath = '/v1/models', contextLength, closesAfterStream }: Quirks = {},
): Backend {
  const ours: Record<string, string> = { ...(apiKey && { authorization: `Bearer ${apiKey}` }), ...headers }

  /** A GET that must answer 200; otherwise a 502 that names the status. */
  const get = async (path: string, signal: AbortSignal): Promise<Response> => {
    const response = await upstream(baseUrl + path, { method: 'GET', headers: ours, signal })
    if (response.ok) return response
    await response.body?.cancel()
    throw new GatewayError(502, 'server_error', 'bad_gateway', `The model backend returned status ${response.status}`)
  }
  const describe = (model: UpstreamModel): ModelInfo => {
    const length = contextLength?.(model)
    return {
      id: model.id,
      ownedBy: model.owned_by ?? name,
      ...(typeof model.created === 'number' && { created: model.created }),
      ...(typeof length === 'number' && { contextLength: length }),
    }
  }

  return {
    name,
    type,
    ...(timeouts && { timeouts }),
    speaks: operation => operations?.has(operation) ?? true,
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
    async models(signal) {
      const list = (await (await get('/v1/models', signal)).json().catch(() => undefined)) as { data?: unknown } | undefined
      if (!Array.isArray(list?.data)) {
        throw new GatewayError(502, 'server_error', 'bad_gateway', 'Failed to parse response from the model backend')
      }
      return list.data.map(describe)
    },
    async probe(signal) {
      await (await get(healthPath, signal)).body?.cancel()
    },
  }
}
