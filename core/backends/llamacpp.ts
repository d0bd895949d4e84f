import type { Operation } from '../openai.ts'
import type { Backend, CountedPrompt } from './backend.ts'
import { compatibleBackend, type OpenAIOptions, type UpstreamModel } from './openai.ts'
import { type Ask, countIn, createAsk, inputOf } from './tokenize.ts'

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
export function llamacppBackend(options: OpenAIOptions): Backend {
  const ask = createAsk(options)
  return {
    ...compatibleBackend(options, { operations, healthPath: '/health', contextLength, closesAfterStream: true }),
    tokenize: prompt => tokenize(ask, prompt),
  }
}

function contextLength({ meta }: UpstreamModel): unknown {
  const { n_ctx, n_ctx_train } = (meta ?? {}) as { readonly n_ctx?: number; readonly n_ctx_train?: number }
  return n_ctx ?? n_ctx_train
}

/**
 * As the server itself counts (tools/server/server-context.cpp, `post_apply_template` and `post_tokenize`): the chat as its
 * template writes it, special tokens read as such, and the model's own put around it. `model` is for its router mode.
 */
async function tokenize(ask: Ask, { operation, model, payload, signal }: CountedPrompt): Promise<number | undefined> {
  const count = async (content: string | readonly string[]) =>
    countIn(await ask('/tokenize', { model, content, add_special: true }, signal), 'tokens')
  switch (operation) {
    case 'chat.completions': {
      const { prompt } = await ask('/apply-template', { ...payload, model, stream: false }, signal)
      return typeof prompt === 'string' ? count(prompt) : undefined
    }
    case 'messages':
    case 'messages.count_tokens':
      return countIn(await ask('/v1/messages/count_tokens', { ...payload, model, stream: false }, signal), 'input_tokens')
    case 'completions':
    case 'embeddings': {
      const { texts, ids } = inputOf(payload) ?? {}
      if (texts === undefined || ids === undefined) return
      const [first = ''] = texts
      if (texts.length <= 1) return ids + (texts.length === 0 ? 0 : await count(first))
      // a list is one prompt there: what is put around each text, it puts around the first
      const [together, around] = await Promise.all([count(texts), count('')])
      return ids + together + around * (texts.length - 1)
    }
    default:
      return undefined
  }
}
