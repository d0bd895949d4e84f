import { GatewayError, invalidRequest } from '../errors.ts'
import { streamHeaders } from '../http/headers.ts'
import type { Message, Payload } from '../openai.ts'
import type { Backend, Call } from './backend.ts'

export interface EchoOptions {
  readonly name: string
  /** Pause before each word of a stream. */
  readonly delayMs?: number
  readonly now?: () => number
  readonly newId?: () => string
}

/** The one model the echo backend serves. */
export const echoModel = 'echo'

const dimensions = 64

/**
 * A model that repeats what it is told: built in, deterministic, streams word by word. It lets a first
 * request work with nothing else installed, and gives tests an answer they can predict.
 */
export function echoBackend({ name, delayMs = 0, now = Date.now, newId = () => crypto.randomUUID() }: EchoOptions): Backend {
  return {
    name,
    type: 'echo',
    speaks: operation => operation === 'chat.completions' || operation === 'completions' || operation === 'embeddings',
    async send(call) {
      if (call.operation === 'embeddings') return embed(call)
      const stamp = { id: newId(), created: Math.floor(now() / 1000) }
      const reply = composeReply(call)
      return call.payload.stream ? streamReply(call, reply, stamp, delayMs) : wholeReply(call, reply, stamp)
    },
    models: async () => [{ id: echoModel, ownedBy: 'gatehouse', created: 0 }],
    probe: async () => {},
  }
}

interface Reply {
  /** Words with the white space that follows them: joined they are the answer. */
  readonly words: readonly string[]
  readonly finish: 'stop' | 'length'
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number }
}

interface Stamp {
  readonly id: string
  readonly created: number
}

function composeReply({ operation, payload }: Call): Reply {
  const prompt = operation === 'completions' ? promptText(payload.prompt) : lastUserText(payload.messages ?? [])
  const all = split(prompt)
  const limit = (payload.max_completion_tokens ?? payload.max_tokens) as number | null | undefined
  const words = typeof limit === 'number' && limit > 0 ? all.slice(0, limit) : all
  const promptTokens = operation === 'completions' ? all.length : countWords(payload.messages ?? [])
  return {
    words,
    finish: words.length < all.length ? 'length' : 'stop',
    usage: { prompt_tokens: promptTokens, completion_tokens: words.length, total_tokens: promptTokens + words.length },
  }
}

const split = (text: string): string[] => text.match(/\s*\S+\s*/g) ?? []

function promptText(prompt: unknown): string {
  if (typeof prompt === 'string') return prompt
  if (Array.isArray(prompt) && prompt.every(part => typeof part === 'string')) return prompt.join('\n')
  throw invalidRequest('The echo model takes `prompt` as text.', 'invalid_type', 'prompt')
}

const lastUserText = (messages: readonly Message[]) => textOf(messages.findLast(message => message.role === 'user')?.content)

const countWords = (messages: readonly Message[]) => messages.reduce((sum, { content }) => sum + split(textOf(content)).length, 0)

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map(part => (part as { text?: unknown })?.text)
    .filter(text => typeof text === 'string')
    .join(' ')
}

function wholeReply({ operation, model }: Call, { words, finish, usage }: Reply, { id, created }: Stamp): Response {
  const text = words.join('').trimEnd()
  if (operation === 'completions') {
    const choices = [{ index: 0, text, logprobs: null, finish_reason: finish }]
    return Response.json({ id: `cmpl-${id}`, object: 'text_completion', created, model, choices, usage })
  }
  const choices = [{ index: 0, message: { role: 'assistant', content: text }, logprobs: null, finish_reason: finish }]
  return Response.json({ id: `chatcmpl-${id}`, object: 'chat.completion', created, model, choices, usage })
}

function streamReply(
  { operation, model, signal }: Call,
  { words, finish, usage }: Reply,
  { id, created }: Stamp,
  delayMs: number,
): Response {
  const chat = operation === 'chat.completions'
  const head = chat
    ? { id: `chatcmpl-${id}`, object: 'chat.completion.chunk', created, model }
    : { id: `cmpl-${id}`, object: 'text_completion', created, model }
  const choice = (text: string, first: boolean, finish_reason: string | null) =>
    chat
      ? {
          index: 0,
          delta: { ...(first && { role: 'assistant' }), ...(finish_reason === null && { content: text }) },
          logprobs: null,
          finish_reason,
        }
      : { index: 0, text, logprobs: null, finish_reason }

  function* events() {
    const last = words.length - 1
    for (const [i, word] of words.entries()) yield { ...head, choices: [choice(i === last ? word.trimEnd() : word, i === 0, null)] }
    yield { ...head, choices: [choice('', words.length === 0, finish)] }
    yield { ...head, choices: [], usage }
  }

  const source = events()
  const encoder = new TextEncoder()
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (delayMs > 0) await Bun.sleep(delayMs)
      if (signal.aborted) return controller.error(signal.reason)
      const { done, value } = source.next()
      controller.enqueue(encoder.encode(done ? 'data: [DONE]\n\n' : `data: ${JSON.stringify(value)}\n\n`))
      if (done) controller.close()
    },
  })
  return new Response(stream, { headers: streamHeaders })
}

/** Vectors of length 1, the same for the same text; near for texts that share words. */
function embed({ model, payload }: Call): Response {
  const texts = inputs(payload)
  const data = texts.map((text, index) => ({
    object: 'embedding',
    index,
    embedding: payload.encoding_format === 'base64' ? toBase64(embedText(text)) : embedText(text),
  }))
  const tokens = texts.reduce((sum, text) => sum + split(text).length, 0)
  return Response.json({ object: 'list', model, data, usage: { prompt_tokens: tokens, total_tokens: tokens } })
}

function inputs({ input }: Readonly<Payload>): readonly string[] {
  const list = Array.isArray(input) ? input : [input]
  if (list.every(text => typeof text === 'string')) return list
  throw new GatewayError(400, 'invalid_request_error', 'invalid_type', 'The echo model takes `input` as text or a list of texts.', {
    param: 'input',
  })
}

function embedText(text: string): number[] {
  const vector = new Array<number>(dimensions).fill(0)
  for (const word of text.toLowerCase().match(/\S+/g) ?? ['']) {
    const hash = Bun.hash.xxHash32(word)
    const slot = hash % dimensions
    vector[slot] = (vector[slot] as number) + (hash & 0x10000 ? 1 : -1)
  }
  const length = Math.hypot(...vector) || 1
  return vector.map(value => Math.fround(value / length))
}

const toBase64 = (vector: readonly number[]) => Buffer.from(new Float32Array(vector).buffer).toString('base64')
