import type { Operation } from '../openai.ts'
import type { Backend } from './backend.ts'
import { compatibleBackend, expectOk, listModels, type OpenAIOptions } from './openai.ts'

/** What `vllm serve` routes (vllm/entrypoints/openai/api_server.py); which of them work depends on the model it runs. */
const operations = new Set<Operation>([
  'chat.completions',
  'completions',
  'embeddings',
  'messages',
  'messages.count_tokens',
  'responses',
  'rerank',
  'audio',
])

/** vLLM speaks OpenAI, answers `/health` with an empty 200, and tells its context length as `max_model_len`. */
export function vllmBackend(options: OpenAIOptions): Backend {
  const { name, baseUrl, apiKey, upstream } = options
  const headers = { ...(apiKey && { authorization: `Bearer ${apiKey}` }), ...options.headers }
  return {
    ...compatibleBackend(options),
    speaks: operation => operations.has(operation),
    models: signal =>
      listModels({ name, baseUrl, headers, upstream }, signal, model => ({
        id: model.id,
        ownedBy: model.owned_by ?? name,
        ...(typeof model.created === 'number' && { created: model.created }),
        ...(typeof model.max_model_len === 'number' && { contextLength: model.max_model_len }),
      })),
    async probe(signal) {
      await expectOk(upstream, `${baseUrl}/health`, headers, signal)
    },
  }
}
