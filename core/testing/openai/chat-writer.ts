import { nowInSeconds } from '../behaviour/numbers.ts'
import type { FinishReason, Refusal } from '../behaviour/scenario.ts'
import type { Slip } from '../behaviour/slips.ts'
import type { ToolCall } from '../behaviour/tool-arguments.ts'
import type { Reply, WholeAnswer, Writer } from '../behaviour/writer.ts'
import { fragments } from './fragments.ts'
import { slippedChunks, slippedWhole } from './slipping.ts'
import { sse } from './sse.ts'

type Fields = Readonly<Record<string, unknown>>

/** What sets one OpenAI-speaking server's chat answers apart from another's. */
export interface ChatShape {
  readonly id: string
  /** The model name as this server puts it into answers. */
  readonly model: string
  readonly streamHeaders: Readonly<Record<string, string>>
  readonly wholeHeaders: Readonly<Record<string, string>>
  readonly hangsUp?: boolean
  /** Top-level fields besides id, object, created, model, choices and usage. */
  chunkFields(): Fields
  readonly wholeFields: Fields
  /** The first delta of a stream. */
  readonly firstDelta: Fields
  /** The delta that brings the finish_reason when no text is left to send. */
  readonly lastDelta: Fields
  /** Fields of a choice besides index, delta or message, and finish_reason. */
  choiceFields(finished: boolean): Fields
  readonly thinkingKey: string
  message(answer: WholeAnswer, calls: readonly unknown[]): Fields
  callId(): string
  /** The arguments that come along with a call's name; undefined when the key is absent there. */
  readonly firstArguments: string | undefined
  readonly usage: Fields
  /** `null` on other chunks when usage was asked for, as OpenAI does; or a running count; or nothing. */
  readonly usageOnChunks: 'null' | 'running' | 'absent'
  readonly usageAtEnd: boolean
  /** Fields that only the last chunk of a stream has. */
  readonly lastChunkFields?: Fields
  errorEvents(): string[]
  refuse(why: Refusal | 'fail'): Reply
}

/** Writes chat completions and their chunks in the shape of one server. */
export function chatWriter(shape: ChatShape, streaming: boolean, slip: Slip | undefined): Writer {
  const created = nowInSeconds()
  let called = false

  const chunk = (choices: readonly unknown[], usage?: unknown): Fields => ({
    id: shape.id,
    object: 'chat.completion.chunk',
    created,
    model: shape.model,
    ...shape.chunkFields(),
    choices,
    ...(usage === undefined ? {} : { usage }),
  })
  const usageHere = { null: null, running: shape.usage, absent: undefined }[shape.usageOnChunks]
  const delta = (fields: Fields, finish: string | null = null): Fields =>
    chunk([{ index: 0, delta: fields, ...shape.choiceFields(finish !== null), finish_reason: finish }], usageHere)
  const events = (chunks: Fields[]) => slippedChunks(slip, chunks, shape.usage)

  return {
    streaming,
    streamHeaders: shape.streamHeaders,
    wholeHeaders: shape.wholeHeaders,
    hangsUp: shape.hangsUp ?? false,
    begin: () => events([delta(shape.firstDelta)]),
    text: text => events([delta({ content: text })]),
    think: text => events([delta({ [shape.thinkingKey]: text })]),
    calls(calls) {
      called = true
      // Arguments that are an object cannot come in fragments.
      const first = slip === 'slip-args-object' ? 'whole' : shape.firstArguments
      const deltas = calls.flatMap((call, index) => callDeltas(call, index, shape.callId(), first))
      return events(deltas.map(call => delta({ tool_calls: [call] })))
    },
    finish(reason, tail) {
      const chunks = [delta(tail === undefined ? shape.lastDelta : { content: tail }, finishReason(reason, called))]
      if (shape.usageAtEnd) chunks.push(chunk([], shape.usage))
      if (shape.lastChunkFields) chunks.push({ ...chunks.pop(), ...shape.lastChunkFields })
      return [...events(chunks), ...doneEvent(slip)]
    },
    fail: shape.errorEvents,
    whole(answer) {
      const calls = answer.calls.map(call => ({
        id: shape.callId(),
        type: 'function',
        function: { name: call.name, arguments: JSON.stringify(call.arguments) },
      }))
      const finish = finishReason(answer.reason, calls.length > 0)
      return slippedWhole(slip, {
        id: shape.id,
        object: 'chat.completion',
        created,
        model: shape.model,
        choices: [{ index: 0, message: shape.message(answer, calls), ...shape.choiceFields(true), finish_reason: finish }],
        usage: shape.usage,
        ...shape.wholeFields,
      })
    },
    refuse: shape.refuse,
  }
}

/** The deltas of one tool call: its name first, then its arguments in fragments. */
function callDeltas(call: ToolCall, index: number, id: string, firstArguments: string | undefined): Fields[] {
  const whole = JSON.stringify(call.arguments)
  const first = firstArguments === 'whole' ? whole : firstArguments
  const named = { name: call.name, ...(first === undefined ? {} : { arguments: first }) }
  const rest = fragments(whole.slice((first ?? '').length))
  return [{ index, id, type: 'function', function: named }, ...rest.map(text => ({ index, function: { arguments: text } }))]
}

/** OpenAI's word for why an answer ended. */
export function finishReason(reason: FinishReason, called: boolean): string {
  if (reason === 'calls' || (reason === 'stop' && called)) return 'tool_calls'
  return reason === 'length' ? 'length' : 'stop'
}

function doneEvent(slip: Slip | undefined): string[] {
  if (slip === 'slip-no-done') return []
  return [slip === 'slip-crlf' ? 'data: [DONE]\r\n\r\n' : sse('[DONE]')]
}
