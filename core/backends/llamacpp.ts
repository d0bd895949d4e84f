import type { Operation } from '../openai.ts'
import type { Backend } from './backend.ts'
import { compatibleBackend, type OpenAIOptions, type UpstreamModel } from './openai.ts'

/** What `llama-server` routes (llama.cpp, tools/server). */
const operations = new Set<Operation>([
  'chat.completions',
  'completions',
  'embeddings',
  'messages',
  'messages.count_tokens',
  'responses',
  'rerank',
  'audio',
  'infill',
])

/**
 * A running llama-server: OpenAI's dialect, `/health` (503 while the model loads), the context length in `meta`.
 * A request on a connection that it is closing is reset; with kept connections that met one stream in sixteen.
 */
export const llamacppBackend = (options: OpenAIOptions): Backend =>
  compatibleBackend(options, { operations, healthPath: '/health', contextLength, closesAfterStream: true })

function contextLength({ meta }: UpstreamModel): unknown {
  const { n_ctx, n_ctx_train } = (meta ?? {}) as { readonly n_ctx?: number; readonly n_ctx_train?: number }
  return n_ctx ?? n_ctx_train
}
