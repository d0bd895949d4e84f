import type { Operation, Payload } from '../openai.ts'
import type { Backend, CountedPrompt } from './backend.ts'
import { compatibleBackend, type OpenAIOptions } from './openai.ts'
import { type Ask, countIn, createAsk, inputOf } from './tokenize.ts'

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
  const ask = createAsk(options)
  return {
    ...compatibleBackend(options, { operations, healthPath: '/health', contextLength: model => model.max_model_len }),
    tokenize: prompt => tokenize(ask, prompt),
  }
}

/** It takes one text at a time: more than these would keep it busy. */
const mostTexts = 64

/** What a chat's template depends on (vllm/entrypoints/serve/tokenize/protocol.py, TokenizeChatRequest). */
const chatFields = ['messages', 'tools', 'add_generation_prompt', 'continue_final_message', 'chat_template', 'chat_template_kwargs']

async function tokenize(ask: Ask, { operation, model, payload, signal }: CountedPrompt): Promise<number | undefined> {
  const count = async (question: object) => countIn(await ask('/tokenize', { model, ...question }, signal), 'count')
  switch (operation) {
    case 'chat.completions':
      return count(pick(payload, chatFields))
    case 'messages':
    case 'messages.count_tokens':
      return countIn(await ask('/v1/messages/count_tokens', { ...payload, model, stream: false }, signal), 'input_tokens')
    case 'completions':
    case 'embeddings': {
      const { texts = [], ids } = inputOf(payload) ?? {}
      if (ids === undefined || texts.length > mostTexts) return
      const counts = await Promise.all(texts.map(prompt => count({ prompt })))
      return counts.reduce((sum, tokens) => sum + tokens, ids)
    }
    default:
      return undefined
  }
}

const pick = (payload: Readonly<Payload>, fields: readonly string[]): object =>
  Object.fromEntries(fields.flatMap(field => (payload[field] === undefined || payload[field] === null ? [] : [[field, payload[field]]])))
