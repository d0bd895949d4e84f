import type { Operation } from '../openai.ts'
import type { Backend } from './backend.ts'
import { compatibleBackend, expectOk, listModels, type OpenAIOptions } from './openai.ts'

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

/** A running llama-server: OpenAI's dialect, `/health` (503 while the model loads), and the context length in `meta`. */
export function llamacppBackend(options: OpenAIOptions): Backend {
  const { name, baseUrl, apiKey, upstream } = options
  const headers = { ...(apiKey && { authorization: `Bearer ${apiKey}` }), ...options.headers }
  return {
    // a request on a connection that is being closed is reset; with keep-alive that met one stream in sixteen
    ...compatibleBackend({ ...options, closesAfterStream: true }),
    speaks: operation => operations.has(operation),
    models: signal =>
      listModels({ name, baseUrl, headers, upstream }, signal, model => {
        const meta = model.meta as { readonly n_ctx?: number; readonly n_ctx_train?: number } | null | undefined
        const contextLength = meta?.n_ctx ?? meta?.n_ctx_train
        return {
          id: model.id,
          ownedBy: model.owned_by ?? 'llamacpp',
          ...(typeof model.created === 'number' && { created: model.created }),
          ...(typeof contextLength === 'number' && { contextLength }),
        }
      }),
    async probe(signal) {
      await expectOk(upstream, `${baseUrl}/health`, headers, signal)
    },
  }
}
