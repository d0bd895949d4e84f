import { isObject, type JsonObject } from './json-object.ts'
import { growField, mergeObject, putField } from './merge-fields.ts'

/** The message of a whole chat answer, put together from its deltas. */
export interface WholeMessage {
  add(delta: JsonObject): void
  finish(): JsonObject
}

/** A message of which nothing has been seen yet. */
export function createWholeMessage(): WholeMessage {
  const message: JsonObject = { role: 'assistant', content: null }
  const calls = new Map<unknown, JsonObject>()
  const sounds: string[] = []
  let meant = false // the text is empty on purpose

  const addCalls = (deltas: readonly unknown[]) => {
    message.tool_calls = [] // for its place among the fields
    for (const delta of deltas) {
      if (!isObject(delta)) continue
      const { index, ...parts } = delta
      const call = calls.get(index) ?? {}
      calls.set(index, call)
      for (const name in parts) {
        const part = parts[name]
        if (isObject(part) && (name === 'function' || name === 'custom')) mergeObject(call, name, part, callTexts)
        else putField(call, name, part)
      }
    }
  }
  const addAudio = ({ data, ...rest }: JsonObject) => {
    mergeObject(message, 'audio', rest, audioTexts)
    if (typeof data === 'string') sounds.push(data)
  }

  return {
    add(delta) {
      if (delta.content === '' && saysMore(delta)) meant = true
      for (const name in delta) {
        const value = delta[name]
        if (name === 'content') addContent(message, value)
        else if (name === 'tool_calls' && Array.isArray(value)) addCalls(value)
        else if (name === 'function_call' && isObject(value)) mergeObject(message, name, value, callTexts)
        else if (name === 'audio' && isObject(value)) addAudio(value)
        else if (labels.has(name)) putField(message, name, value)
        else growField(message, name, value)
      }
    },
    finish() {
      if (calls.size > 0) message.tool_calls = inOrder(calls).map(withArguments)
      if (sounds.length > 0 && isObject(message.audio)) message.audio.data = joinBase64(sounds)
      // Many servers open every stream with an empty text, and leave it out of the whole answer when nothing follows.
      if (message.content === '' && !meant && saysMore(message)) message.content = null
      return message
    },
  }
}

/** Words about a delta, which are not continued by the next one's. */
const labels = new Set(['role', 'type', 'id', 'channel'])
const callTexts = new Set(['name', 'arguments', 'input'])
const audioTexts = new Set(['transcript'])

/** True for what stands in the place of a text. */
const saysMore = ({ tool_calls, function_call, refusal, audio }: JsonObject) =>
  (Array.isArray(tool_calls) && tool_calls.length > 0) || isObject(function_call) || Boolean(refusal) || isObject(audio)

/** A text, or a list of parts (Mistral's thinking); when a text follows parts, it is one. */
function addContent(message: JsonObject, value: unknown): void {
  const before = message.content
  if (Array.isArray(before) && typeof value === 'string') addText(before, value)
  else if (typeof before === 'string' && Array.isArray(value)) message.content = before === '' ? value : [textPart(before), ...value]
  else growField(message, 'content', value)
}

function addText(parts: unknown[], text: string): void {
  const last = parts.at(-1)
  if (isObject(last) && last.type === 'text') growField(last, 'text', text)
  else if (text !== '') parts.push(textPart(text))
}

const textPart = (text: string) => ({ type: 'text', text })

const inOrder = (calls: ReadonlyMap<unknown, JsonObject>) =>
  [...calls].sort(([one], [other]) => Number(one) - Number(other)).map(([, call]) => call)

/** A call without arguments has none to stream, and `{}` in a whole answer. */
function withArguments(call: JsonObject): JsonObject {
  if (isObject(call.function)) call.function.arguments ??= '{}'
  return call
}

/** Each piece may have been encoded by itself, and then there is padding in the middle. */
const joinBase64 = (pieces: readonly string[]): string =>
  pieces.slice(0, -1).some(piece => piece.endsWith('='))
    ? Buffer.concat(pieces.map(piece => Buffer.from(piece, 'base64'))).toString('base64')
    : pieces.join('')
