import { randomName } from '../behaviour/numbers.ts'
import type { ToolCall } from '../behaviour/tool-arguments.ts'
import { fragments } from './fragments.ts'

type Fields = Readonly<Record<string, unknown>>
type Emit = (type: string, fields: Fields) => string

interface Item {
  readonly kind: 'reasoning' | 'message' | 'function_call'
  readonly id: string
  readonly output_index: number
  readonly call?: ToolCall
  text: string
}

/** How one server tells of its items. */
export interface ItemStyle {
  /** llama-server's way: all items are closed together at the end, and some events and fields of OpenAI's are missing. */
  readonly lean: boolean
  /** Whether thinking comes as it is, or as the summary that OpenAI makes of it. */
  readonly reasoning: 'text' | 'summary'
}

/** The output items of one response, and the events that tell of them. */
export function responseItems(emit: Emit, style: ItemStyle) {
  const { lean } = style
  const items: Item[] = []
  let closed = 0

  const close = () => {
    const open = items.slice(closed)
    closed = items.length
    return open.flatMap(item => closing(emit, item, style))
  }
  const open = (kind: Item['kind'], id: string, call?: ToolCall) => {
    const events = lean ? [] : close()
    const item: Item = { kind, id, output_index: items.length, text: '', ...(call ? { call } : {}) }
    items.push(item)
    return [...events, ...opening(emit, item, style)]
  }
  const grow = (kind: 'reasoning' | 'message', type: string, text: string) => {
    const events = items.at(-1)?.kind === kind ? [] : open(kind, `${kind === 'message' ? 'msg' : 'rs'}_${randomName(32)}`)
    const item = items.at(-1)
    if (item) item.text += text
    const place = kind === 'reasoning' ? placeOf(style) : { content_index: 0, ...(lean ? {} : { logprobs: [] }) }
    return [...events, emit(type, { item_id: item?.id, output_index: item?.output_index, ...place, delta: text })]
  }

  return {
    text: (text: string) => grow('message', 'response.output_text.delta', text),
    think: (text: string) => grow('reasoning', `response.reasoning_${style.reasoning === 'summary' ? 'summary_' : ''}text.delta`, text),
    call(call: ToolCall) {
      const id = `fc_${randomName(32)}`
      const output_index = items.length
      const started = open('function_call', id, call)
      const pieces = fragments(JSON.stringify(call.arguments))
      return [...started, ...pieces.map(delta => emit('response.function_call_arguments.delta', { item_id: id, output_index, delta }))]
    },
    /** Tells the end of every item still open. */
    close,
    /** The items as they stand in the finished response. */
    done: () => items.map(item => itemBody(item, 'completed', style)),
  }
}

function opening(emit: Emit, item: Item, style: ItemStyle): string[] {
  const { id, output_index } = item
  const added = emit('response.output_item.added', { output_index, item: itemBody(item, 'in_progress', style) })
  if (item.kind !== 'message') return [added]
  const part = { type: 'output_text', text: '', ...(style.lean ? {} : { annotations: [], logprobs: [] }) }
  return [added, emit('response.content_part.added', { item_id: id, output_index, content_index: 0, part })]
}

function closing(emit: Emit, item: Item, style: ItemStyle): string[] {
  const { id: item_id, output_index, text } = item
  const done = emit('response.output_item.done', { output_index, item: itemBody(item, 'completed', style) })
  const at = { item_id, output_index, content_index: 0 }
  if (style.lean && item.kind !== 'message') return [done]
  if (item.kind === 'reasoning') {
    const type = `response.reasoning_${style.reasoning === 'summary' ? 'summary_' : ''}text.done`
    return [emit(type, { item_id, output_index, ...placeOf(style), text }), done]
  }
  if (item.kind === 'function_call') {
    const call = { name: item.call?.name, arguments: JSON.stringify(item.call?.arguments) }
    return [emit('response.function_call_arguments.done', { item_id, output_index, ...call }), done]
  }
  return [
    emit('response.output_text.done', { ...at, text, ...(style.lean ? {} : { logprobs: [] }) }),
    emit('response.content_part.done', { ...at, part: textPart(text) }),
    done,
  ]
}

function itemBody(item: Item, status: 'in_progress' | 'completed', style: ItemStyle): Fields {
  const { id, text, call } = item
  const begun = status === 'completed'
  switch (item.kind) {
    case 'message':
      return { id, type: 'message', status, role: 'assistant', content: begun ? [textPart(text)] : [] }
    case 'reasoning': {
      const summary = begun && style.reasoning === 'summary' ? [{ type: 'summary_text', text }] : []
      if (style.reasoning === 'summary') return { id, type: 'reasoning', summary }
      const content = begun ? [{ type: 'reasoning_text', text }] : []
      return { id, type: 'reasoning', summary, content, status, ...(style.lean ? { encrypted_content: '' } : {}) }
    }
    case 'function_call': {
      const args = begun ? JSON.stringify(call?.arguments) : ''
      return { id, type: 'function_call', status, call_id: id.replace('fc_', 'call_'), name: call?.name, arguments: args }
    }
  }
}

function placeOf(style: ItemStyle): Fields {
  return style.reasoning === 'summary' ? { summary_index: 0 } : { content_index: 0 }
}

function textPart(text: string): Fields {
  return { type: 'output_text', annotations: [], logprobs: [], text }
}
