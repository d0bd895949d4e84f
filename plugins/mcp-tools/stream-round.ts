import type { SseEvent } from 'gatehouse'
import { createCallDeltas } from './call-deltas.ts'
import { isObject, type JsonObject, objectsIn, parseJson } from './json.ts'
import type { Offer } from './offer.ts'
import { breakBetween } from './text-join.ts'
import { addUsage } from './usage-sum.ts'
import { wasCut } from './whole.ts'

/** What all turns of one stream have in common. */
export interface StreamedAnswer {
  /** Of the first turn, and of all others. */
  head: { readonly id: unknown; readonly created: unknown } | undefined
  /** The last that was said. */
  text: string
  usage: JsonObject | undefined
}

/** One turn of a stream. */
export interface StreamRound {
  /** The bytes to pass on; undefined when there is nothing in it for the client. */
  take(event: SseEvent): Uint8Array | undefined
  /** Our calls, once the turn has come to its end and goes on with them. */
  readonly calls: readonly JsonObject[]
  /** What the model said. */
  readonly message: JsonObject
}

/** Reads a turn; what need not be changed is passed on as the very bytes. */
export function createStreamRound(answer: StreamedAnswer, offer: Pick<Offer, 'tools' | 'client'>): StreamRound {
  const again = answer.head !== undefined
  const calls = createCallDeltas(offer)
  const message: JsonObject = { content: null }
  let goesOn = false
  let over = false

  /** True when something of it had to be changed. */
  const readText = (delta: JsonObject): boolean => {
    for (const name of ['reasoning', 'reasoning_content']) {
      if (typeof delta[name] === 'string') message[name] = `${message[name] ?? ''}${delta[name]}`
    }
    const { content } = delta
    if (typeof content !== 'string' || content === '') return false
    const between = message.content === null && again ? breakBetween(answer.text, content) : ''
    message.content = `${message.content ?? ''}${content}`
    answer.text = content
    if (between !== '') delta.content = between + content
    return between !== ''
  }
  const readCalls = (delta: JsonObject): boolean => {
    if (!Array.isArray(delta.tool_calls)) return false
    const passed = calls.take(objectsIn(delta.tool_calls))
    if (passed.length === delta.tool_calls.length && passed.every((call, at) => call === delta.tool_calls?.[at as never])) return false
    if (passed.length > 0) delta.tool_calls = passed
    else delete delta.tool_calls
    return true
  }
  const readFinish = (choice: JsonObject, delta: JsonObject): boolean => {
    if (typeof choice.finish_reason !== 'string') return false
    const late = calls.finish()
    if (late.length > 0) delta.tool_calls = [...objectsIn(delta.tool_calls), ...late]
    goesOn = calls.ours.length > 0 && calls.theirs === 0 && !wasCut(choice)
    if (goesOn) choice.finish_reason = null
    return goesOn || late.length > 0
  }
  const takeChoice = (choice: JsonObject): 'as it is' | 'changed' | 'empty' => {
    const delta = isObject(choice.delta) ? choice.delta : {}
    choice.delta = delta
    const named = again && delta.role !== undefined
    if (named) delete delta.role
    const changes = [named, readText(delta), readCalls(delta), readFinish(choice, delta)]
    if (!changes.includes(true)) return 'as it is'
    return typeof choice.finish_reason !== 'string' && isEmpty(delta) ? 'empty' : 'changed'
  }
  const takeUsage = (json: JsonObject): 'as it is' | 'changed' | 'empty' => {
    const before = answer.usage
    answer.usage = addUsage(before, json.usage)
    if (goesOn) return 'empty'
    if (!isObject(json.usage) || !before) return 'as it is'
    json.usage = answer.usage
    return 'changed'
  }

  return {
    take({ data, raw }) {
      if (data === undefined) return raw
      if (data.trim() === '[DONE]') {
        over = true
        return goesOn ? undefined : raw
      }
      const json = parseJson(data)
      if (!isObject(json)) return raw
      answer.head ??= { id: json.id, created: json.created }
      const [choice] = objectsIn(json.choices)
      const what = choice ? takeChoice(choice) : takeUsage(json)
      if (what === 'empty') return
      if (what === 'as it is' && !again) return raw
      return encoder.encode(`data: ${JSON.stringify({ ...json, ...answer.head })}\n\n`)
    },
    get calls() {
      return over && goesOn ? calls.ours : []
    },
    message,
  }
}

const encoder = new TextEncoder()

const isEmpty = (delta: JsonObject) => Object.values(delta).every(value => value === null || value === undefined || value === '')
