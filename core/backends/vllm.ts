import type { Operation } from '../openai.ts'
import type { Backend } from './backend.ts'
import { compatibleBackend, type OpenAIOptions } from './openai.ts'

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
export const vllmBackend = (options: OpenAIOptions): Backend =>
  compatibleBackend(options, { operations, healthPath: '/health', contextLength: model => model.max_model_len })
