import type { Upstream } from '../http/upstream.ts'
import type { Operation } from '../openai.ts'
import type { Backend, BackendTimeouts, Call } from './backend.ts'
import { chat } from './ollama/chat.ts'
import { ollamaClient } from './ollama/client.ts'
import { embed } from './ollama/embed.ts'
import { forward, forwarded } from './ollama/forward.ts'
import { generate } from './ollama/generate.ts'
import { listModels, probe } from './ollama/models.ts'
import type { Kit } from './ollama/respond.ts'

/** One Ollama server. */
export interface OllamaOptions {
  readonly name: string
  /** Without a trailing slash and without `/v1`. */
  readonly baseUrl: string
  readonly apiKey?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly timeouts?: Partial<BackendTimeouts>
  readonly send: Upstream
  /** Unix milliseconds. */
  readonly now: () => number
  readonly newId: () => string
}

const translated: ReadonlyMap<Operation, (call: Call, kit: Kit) => Promise<Response>> = new Map([
  ['chat.completions', chat],
  ['completions', generate],
  ['embeddings', embed],
])

/**
 * An Ollama, spoken to by its own API: only there are its options, `keep_alive` and `think`, and there the model's own
 * defaults hold, where its /v1 puts OpenAI's.
 */
export function ollamaBackend({ name, timeouts, now, newId, ...connection }: OllamaOptions): Backend {
  const client = ollamaClient(connection)
  const kit = { client, now, newId }
  return {
    name,
    type: 'ollama',
    ...(timeouts && { timeouts }),
    speaks: operation => translated.has(operation) || forwarded.has(operation),
    send: call => (translated.get(call.operation) ?? forward)(call, kit),
    models: signal => listModels(client, signal),
    probe: signal => probe(client, signal),
  }
}
