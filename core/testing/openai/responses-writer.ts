import { completionTokens, nowInSeconds, promptTokens, randomName } from '../behaviour/numbers.ts'
import type { Refusal } from '../behaviour/scenario.ts'
import type { Reply, WholeAnswer, Writer } from '../behaviour/writer.ts'
import { responseItems } from './response-items.ts'
import { sse } from './sse.ts'

type Fields = Readonly<Record<string, unknown>>

/** What sets one server's Responses API apart from another's. */
export interface ResponsesShape {
  readonly model: string
  readonly streamHeaders: Readonly<Record<string, string>>
  readonly wholeHeaders: Readonly<Record<string, string>>
  readonly hangsUp?: boolean
  /** Fields of a response besides id, object, created_at, status, model, output and usage. */
  readonly responseFields: Fields
  /** Fields that only a whole response has, and that only the event which completes a stream has. */
  readonly wholeFields?: Fields
  readonly completedEventFields?: Fields
  /** Fields of the usage block besides the three counts. */
  readonly usageFields: Fields
  /** True when events carry sequence_number, output_index and content_index, which llama-server leaves out. */
  readonly numbered: boolean
  readonly reasoning: 'text' | 'summary'
  /** The event that ends an answer cut off by the token limit, and whether its status says so. */
  readonly cutOff: 'response.incomplete' | 'response.completed'
  readonly tellsCutOff: boolean
  errorEvents(sequence: number): string[] | 'cut'
  refuse(why: Refusal | 'fail'): Reply
}

/** Writes the Responses API. */
export function responsesWriter(shape: ResponsesShape, streaming: boolean): Writer {
  const id = `resp_${randomName(32)}`
  const created = nowInSeconds()
  let sequence = 0
  const event = (type: string, fields: Fields) => {
    const { output_index, content_index, ...rest } = fields
    const numbers = { sequence_number: sequence++, ...defined({ output_index, content_index }) }
    return sse({ type, ...(shape.numbered ? numbers : {}), ...rest }, type)
  }
  const items = responseItems(event, { lean: !shape.numbered, reasoning: shape.reasoning })

  const response = (status: string, output: readonly unknown[]): Fields => {
    const finished = status !== 'in_progress'
    return {
      id,
      object: 'response',
      created_at: created,
      status,
      model: shape.model,
      output,
      usage: finished ? usageOf(shape) : null,
      ...shape.responseFields,
      ...(finished || !('completed_at' in shape.responseFields) ? {} : { completed_at: null }),
      ...(status === 'incomplete' ? { incomplete_details: { reason: 'max_output_tokens' } } : {}),
    }
  }
  const started = shape.numbered ? response('in_progress', []) : { id, object: 'response', status: 'in_progress' }
  const statusOf = (reason: WholeAnswer['reason']) => (reason === 'length' && shape.tellsCutOff ? 'incomplete' : 'completed')

  return {
    streaming,
    streamHeaders: shape.streamHeaders,
    wholeHeaders: shape.wholeHeaders,
    hangsUp: shape.hangsUp ?? false,
    begin: () => [event('response.created', { response: started }), event('response.in_progress', { response: started })],
    text: items.text,
    think: items.think,
    calls: calls => calls.flatMap(items.call),
    finish: (reason, tail) => [
      ...(tail === undefined ? [] : items.text(tail)),
      ...items.close(),
      event(reason === 'length' ? shape.cutOff : 'response.completed', {
        response: response(statusOf(reason), items.done()),
        ...shape.completedEventFields,
      }),
    ],
    fail: () => shape.errorEvents(sequence),
    whole(answer) {
      if (answer.thinking !== '') items.think(answer.thinking)
      if (answer.text !== '') items.text(answer.text)
      for (const call of answer.calls) items.call(call)
      items.close()
      return { ...response(statusOf(answer.reason), items.done()), ...shape.wholeFields }
    },
    refuse: shape.refuse,
  }
}

function usageOf(shape: ResponsesShape): Fields {
  return {
    input_tokens: promptTokens,
    output_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...shape.usageFields,
  }
}

function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
