import type { FinishReason, Refusal } from '../behaviour/scenario.ts'
import type { ToolCall } from '../behaviour/tool-arguments.ts'
import type { Reply, WholeAnswer, Writer } from '../behaviour/writer.ts'
import { fragments } from '../openai/fragments.ts'
import { sse } from '../openai/sse.ts'

type Fields = Readonly<Record<string, unknown>>

/** What sets one server's Messages API apart from another's. */
export interface MessagesShape {
  readonly id: string
  readonly model: string
  readonly streamHeaders: Readonly<Record<string, string>>
  readonly wholeHeaders: Readonly<Record<string, string>>
  readonly hangsUp?: boolean
  /** The message of `message_start`. */
  readonly startMessage: Fields
  /** Fields of a whole message besides id, type, role, content, model and stop_reason. */
  readonly wholeFields: Fields
  readonly deltaFields: Fields
  readonly deltaUsage: Fields
  /** The first block of a tool call, besides type, id and name. */
  readonly toolUseFields: Fields
  /** The signature of a thinking block; undefined when a stream has none. */
  readonly signature: string | undefined
  /** False when all blocks are stopped together at the end, as llama-server does. */
  readonly stopsEachBlock: boolean
  readonly endsWithDone: boolean
  callId(): string
  errorEvents(): string[]
  refuse(why: Refusal | 'fail'): Reply
}

interface Block {
  readonly type: 'thinking' | 'text' | 'tool_use'
  readonly index: number
}

/** Writes Anthropic's Messages API as a server of another house speaks it. */
export function messagesWriter(shape: MessagesShape, streaming: boolean): Writer {
  const blocks: Block[] = []
  let stopped = 0
  let called = false
  const event = (type: string, fields: Fields = {}) => sse({ type, ...fields }, type)

  const stop = (until: number) => {
    const events: string[] = []
    for (const block of blocks.slice(stopped, until)) {
      const { index } = block
      if (block.type === 'thinking' && shape.signature !== undefined) {
        events.push(event('content_block_delta', { index, delta: { type: 'signature_delta', signature: shape.signature } }))
      }
      events.push(event('content_block_stop', { index }))
    }
    stopped = Math.max(stopped, until)
    return events
  }
  const start = (type: Block['type'], first: Fields) => {
    const events = shape.stopsEachBlock ? stop(blocks.length) : []
    const index = blocks.length
    blocks.push({ type, index })
    return [...events, event('content_block_start', { index, content_block: { type, ...first } })]
  }
  const grow = (type: 'thinking' | 'text', first: Fields, delta: Fields) => {
    const started = blocks.at(-1)?.type === type ? [] : start(type, first)
    return [...started, event('content_block_delta', { index: blocks.length - 1, delta })]
  }
  const call = ({ name, arguments: input }: ToolCall) => [
    ...start('tool_use', { id: shape.callId(), name, ...shape.toolUseFields }),
    ...fragments(JSON.stringify(input)).map(text =>
      event('content_block_delta', { index: blocks.length - 1, delta: { type: 'input_json_delta', partial_json: text } }),
    ),
  ]

  return {
    streaming,
    streamHeaders: shape.streamHeaders,
    wholeHeaders: shape.wholeHeaders,
    hangsUp: shape.hangsUp ?? false,
    begin: () => [event('message_start', { message: shape.startMessage })],
    text: text => grow('text', { text: '' }, { type: 'text_delta', text }),
    think: thinking => grow('thinking', { thinking: '' }, { type: 'thinking_delta', thinking }),
    calls(calls) {
      called = true
      return calls.flatMap(call)
    },
    finish: (reason, tail) => [
      ...(tail === undefined ? [] : grow('text', { text: '' }, { type: 'text_delta', text: tail })),
      ...stop(blocks.length),
      event('message_delta', { delta: { stop_reason: stopReason(reason, called), ...shape.deltaFields }, usage: shape.deltaUsage }),
      event('message_stop'),
      ...(shape.endsWithDone ? [sse('[DONE]')] : []),
    ],
    fail: shape.errorEvents,
    whole: answer => ({
      id: shape.id,
      type: 'message',
      role: 'assistant',
      content: contentOf(answer, shape),
      model: shape.model,
      stop_reason: stopReason(answer.reason, answer.calls.length > 0),
      ...shape.wholeFields,
    }),
    refuse: shape.refuse,
  }
}

function contentOf({ text, thinking, calls }: WholeAnswer, shape: MessagesShape): unknown[] {
  return [
    ...(thinking === '' ? [] : [{ type: 'thinking', thinking, ...(shape.signature === undefined ? {} : { signature: shape.signature }) }]),
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...calls.map(call => ({ type: 'tool_use', id: shape.callId(), name: call.name, input: call.arguments })),
  ]
}

function stopReason(reason: FinishReason, called: boolean): string {
  if (reason === 'length') return 'max_tokens'
  return called || reason === 'calls' ? 'tool_use' : 'end_turn'
}
