import { randomUUID } from 'node:crypto'
import { nowInSeconds, promptTokens } from '../behaviour/numbers.ts'
import type { Reply } from '../behaviour/writer.ts'
import { askedOfPrompt, records, textOf } from '../openai/asked.ts'
import { embeddingItems } from '../openai/embeddings.ts'
import { type Body, type Endpoint, type House, play } from '../openai/endpoint.ts'
import { fixedWriter } from '../openai/fixed-writer.ts'
import { heard } from '../openai/media.ts'
import type { Exchange } from '../server/exchange.ts'
import { readForm } from '../server/form.ts'
import { vllmError, vllmHeaders, vllmRefusal } from './errors.ts'

/** The context length the fake claims. */
export const maxModelLength = 4096

const hex = () => randomUUID().replaceAll('-', '')

/** `POST /v1/embeddings`, from vllm/entrypoints/pooling/embed/protocol.py. */
export const vllmEmbeddings: Endpoint = {
  check: ({ input }) =>
    input === undefined
      ? vllmError(400, "1 validation error:\n  {'type': 'missing', 'loc': ('body', 'input')}", 'Bad Request', 'body.input')
      : undefined,
  asked: askedOfPrompt,
  writer: (body, model) =>
    fixedWriter({
      body: {
        id: `embd-${hex()}`,
        object: 'list',
        created: nowInSeconds(),
        model,
        data: embeddingItems(body),
        usage: { prompt_tokens: promptTokens, total_tokens: promptTokens, completion_tokens: 0, prompt_tokens_details: null },
      },
      headers: vllmHeaders,
      refuse: why => vllmRefusal(why, model),
    }),
}

/** `POST /v1/rerank`, from vllm/entrypoints/pooling/scoring/protocol.py: the longer the document, the better. */
export const vllmRerank: Endpoint = {
  asked: askedOfPrompt,
  writer: (body, model) =>
    fixedWriter({
      body: {
        id: `rerank-${hex()}`,
        model,
        usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
        results: ranked(body).map(({ index, text, score }) => ({ index, document: { text, multi_modal: null }, relevance_score: score })),
      },
      headers: vllmHeaders,
      refuse: why => vllmRefusal(why, model),
    }),
}

/** The documents of a rerank request, best first: the longest one. */
export function ranked({ documents, top_n: top }: Body): { index: number; text: string; score: number }[] {
  const texts = Array.isArray(documents) ? documents.map(String) : []
  const sorted = texts.map((text, index) => ({ index, text, score: text.length / 100 })).sort((a, b) => b.score - a.score)
  return typeof top === 'number' && top > 0 ? sorted.slice(0, top) : sorted
}

/** `POST /tokenize`, from vllm/entrypoints/serve/tokenize/protocol.py: a token for each word, two around a message. */
export function tokenizeReply(body: Body, { has }: House): Reply {
  const { model = '', prompt, messages, tools, add_generation_prompt: primed = true } = body
  if (!has(String(model))) return vllmRefusal('missing', String(model))
  if (typeof prompt !== 'string' && !Array.isArray(messages)) {
    return vllmError(400, "1 validation error:\n  {'type': 'missing', 'loc': ('body', 'prompt')}", 'Bad Request', 'body.prompt')
  }
  const chat = [
    ...records(tools).map(tool => JSON.stringify(tool).replaceAll(' ', '')),
    ...records(messages).map(({ role, content }) => `<|${role}|> ${textOf(content)} <|end|>`),
    ...(primed === true ? ['<|assistant|>'] : []),
  ]
  const tokens = (typeof prompt === 'string' ? prompt : chat.join(' ')).split(' ').map((_word, index) => index + 1)
  return { status: 200, body: { count: tokens.length, max_model_len: maxModelLength, tokens, token_strs: null }, headers: vllmHeaders }
}

/** `POST /v1/audio/transcriptions`, from vllm/entrypoints/openai/speech_to_text/protocol.py. */
export async function transcribeVllm(exchange: Exchange, house: House): Promise<Reply | undefined> {
  const form = await readForm(exchange.request)
  const file = form?.files.file
  if (!form || !file)
    return vllmError(400, "1 validation error:\n  {'type': 'missing', 'loc': ('body', 'file')}", 'Bad Request', 'body.file')
  const { model = '' } = form.fields
  const writer = fixedWriter({
    body: form.fields.response_format === 'text' ? heard(file) : { text: heard(file), usage: { type: 'duration', seconds: 1 } },
    headers: vllmHeaders,
    refuse: why => vllmRefusal(why, model),
  })
  const answer = play(exchange, house, askedOfPrompt({ model, ...form.fields }), writer)
  if (!(answer instanceof Promise)) return answer
  await answer
  return undefined
}
