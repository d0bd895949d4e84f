import { nowInSeconds } from '../behaviour/numbers.ts'
import type { Refusal } from '../behaviour/scenario.ts'
import type { Reply, Writer } from '../behaviour/writer.ts'
import { finishReason } from './chat-writer.ts'
import { sse } from './sse.ts'

type Fields = Readonly<Record<string, unknown>>

/** What sets one server's text completions apart from another's. */
export interface TextShape {
  readonly id: string
  readonly model: string
  readonly streamHeaders: Readonly<Record<string, string>>
  readonly wholeHeaders: Readonly<Record<string, string>>
  readonly hangsUp?: boolean
  /** Top-level fields of a chunk, and of a whole answer, besides id, object, created, model, choices and usage. */
  readonly chunkFields: Fields
  readonly wholeFields: Fields
  /** Fields of a choice besides index, text, logprobs and finish_reason. */
  readonly choiceFields: Fields
  readonly usage: Fields
  /** Where a stream has its usage: in the chunk that finishes, in one of its own, or nowhere. */
  readonly usageIn: 'finish' | 'own' | 'nowhere'
  readonly lastChunkFields?: Fields
  errorEvents(): string[]
  refuse(why: Refusal | 'fail'): Reply
}

/** Writes `/v1/completions`, the older form; it knows no tools and no thinking. */
export function textWriter(shape: TextShape, streaming: boolean): Writer {
  const created = nowInSeconds()
  const body = (choices: readonly unknown[], more: Fields): Fields => ({
    id: shape.id,
    object: 'text_completion',
    created,
    model: shape.model,
    choices,
    ...more,
  })
  const choice = (text: string, finish: string | null) => ({ index: 0, text, logprobs: null, ...shape.choiceFields, finish_reason: finish })
  const chunk = (text: string, finish: string | null, more: Fields = {}) => body([choice(text, finish)], { ...shape.chunkFields, ...more })

  return {
    streaming,
    streamHeaders: shape.streamHeaders,
    wholeHeaders: shape.wholeHeaders,
    hangsUp: shape.hangsUp ?? false,
    begin: () => [],
    text: text => [sse(chunk(text, null))],
    think: () => [],
    calls: () => [],
    finish(reason, tail = '') {
      const more = { ...(shape.usageIn === 'finish' ? { usage: shape.usage } : {}), ...shape.lastChunkFields }
      const chunks = [chunk(tail, finishReason(reason, false), more)]
      if (shape.usageIn === 'own') chunks.push(body([], { ...shape.chunkFields, usage: shape.usage }))
      return [...chunks.map(item => sse(item)), sse('[DONE]')]
    },
    fail: shape.errorEvents,
    whole: ({ text, reason }) => body([choice(text, finishReason(reason, false))], { usage: shape.usage, ...shape.wholeFields }),
    refuse: shape.refuse,
  }
}
