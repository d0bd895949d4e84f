import { completionTokens, promptTokens } from '../behaviour/numbers.ts'
import type { Reply, Writer } from '../behaviour/writer.ts'
import { askedOfPrompt, parts, records, textOf } from '../openai/asked.ts'
import { embeddingItems, embeddingUsage } from '../openai/embeddings.ts'
import type { Body, Endpoint } from '../openai/endpoint.ts'
import { fixedWriter } from '../openai/fixed-writer.ts'
import { sse } from '../openai/sse.ts'
import { ranked } from '../vllm/others.ts'
import { llamaReply } from './catalogue.ts'
import { checkLlamaChat } from './checks.ts'
import { llamaError, llamaHeaders, llamaRefusal } from './errors.ts'
import { llamaTextShape, timings } from './shapes.ts'

/** `POST /v1/embeddings` (server-common.cpp, format_embeddings_response_oaicompat); it answers under the name asked for. */
export const llamaEmbeddings: Endpoint = {
  check: ({ input, encoding_format: format = 'float' }) => {
    if (input === undefined) return llamaError(400, '"input" or "content" must be provided')
    if (Array.isArray(input) && input.length === 0) return llamaError(400, '"input" must not be empty')
    if (format === 'float' || format === 'base64') return undefined
    return llamaError(400, 'The format to return the embeddings in. Can be either float or base64')
  },
  asked: askedOfPrompt,
  writer: (body, model) => {
    // `dimensions` is not known to it.
    const { dimensions: _dimensions, ...known } = body
    const extra = body.encoding_format === 'base64' ? { encoding_format: 'base64' } : {}
    const data = embeddingItems(known, extra)
    return fixedWriter({
      body: { model, object: 'list', usage: embeddingUsage, data },
      headers: llamaHeaders,
      refuse: why => llamaRefusal(why, model),
    })
  },
}

/** `POST /v1/rerank` (format_response_rerank). */
export const llamaRerank: Endpoint = {
  check: ({ query, documents }) => {
    if (query === undefined) return llamaError(400, '"query" must be provided')
    if (!Array.isArray(documents) || documents.length === 0) return llamaError(400, '"documents" must be a non-empty string array')
    return undefined
  },
  asked: askedOfPrompt,
  writer: (body, model) => {
    const results = ranked(body).map(({ index, score }) => ({ index, relevance_score: score }))
    return fixedWriter({
      body: { model, object: 'list', usage: embeddingUsage, results },
      headers: llamaHeaders,
      refuse: why => llamaRefusal(why, model),
    })
  },
}

/** `POST /tokenize`: a token for each word, and one in front when asked for. Several texts are one prompt. */
export function llamaTokenize({ content, add_special: special, with_pieces: pieces }: Body): Reply {
  const words = [content].flat().flatMap(text => (typeof text === 'string' && text !== '' ? text.split(' ') : []))
  const all = special === true ? ['<s>', ...words] : words
  return llamaReply({ tokens: all.map((piece, index) => (pieces ? { id: index + 1, piece } : index + 1)) })
}

/** `POST /apply-template`: the chat as the model gets it, in words. Pictures are refused, as without a projector. */
export function llamaTemplate(body: Body): Reply {
  const refusal = checkLlamaChat(body)
  if (refusal) return refusal
  const messages = records(body.messages)
  if (messages.flatMap(({ content }) => parts(content)).some(({ type }) => type === 'image_url')) {
    return llamaError(500, 'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj')
  }
  const tools = records(body.tools).map(tool => JSON.stringify(tool).replaceAll(' ', ''))
  const written = messages.map(({ role, content }) => `<|${role}|> ${textOf(content)} <|end|>`)
  return llamaReply({ prompt: [...tools, ...written, '<|assistant|>'].join(' ') })
}

/** The native completion form, which `/infill` and `/completion` use (server-task.cpp, to_json_non_oaicompat). */
export function nativeWriter(model: string, asked: string, prompt: unknown, streaming: boolean): Writer {
  const { streamHeaders, wholeHeaders, refuse, errorEvents } = llamaTextShape(model, asked)
  const last = (content: string, reason: string) => ({
    index: 0,
    content,
    tokens: [],
    id_slot: 0,
    stop: true,
    model,
    tokens_predicted: completionTokens,
    tokens_evaluated: promptTokens,
    generation_settings: {},
    prompt,
    has_new_line: false,
    truncated: false,
    stop_type: reason === 'length' ? 'limit' : 'eos',
    stopping_word: '',
    tokens_cached: promptTokens + completionTokens,
    timings,
  })
  let sent = 0
  return {
    streaming,
    streamHeaders,
    wholeHeaders,
    hangsUp: true,
    begin: () => [],
    text: content => [
      sse({ index: 0, content, tokens: [1], stop: false, id_slot: -1, tokens_predicted: ++sent, tokens_evaluated: promptTokens }),
    ],
    think: () => [],
    calls: () => [],
    // This form has no [DONE].
    finish: (reason, tail = '') => [sse(last(tail, reason))],
    fail: errorEvents,
    whole: ({ text, reason }) => last(text, reason),
    refuse,
  }
}
