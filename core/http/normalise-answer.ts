import { isObject, type JsonObject } from './json-object.ts'
import { createEnvelope } from './normalise-envelope.ts'
import type { NormaliseOptions } from './normalise-options.ts'
import { repairToolCalls } from './normalise-tools.ts'
import { completeUsage, countUsage } from './usage.ts'

/** A whole answer under the wire rules. `changed` is false when the backend's own bytes may be sent. */
export interface NormalisedAnswer {
  readonly json: unknown
  readonly changed: boolean
}

/** Makes a whole answer keep the wire rules, in place, and counts its usage. Errors and other shapes are left alone. */
export function normaliseAnswer(json: unknown, options: NormaliseOptions): NormalisedAnswer {
  if (!isObject(json) || !Array.isArray(json.choices)) return { json, changed: false }
  const chat = options.operation === 'chat.completions'
  countUsage(options.usage, json)
  let changed = createEnvelope(options, chat ? 'chat.completion' : 'text_completion').stamp(json)
  if (isObject(json.usage) && completeUsage(json.usage)) changed = true
  for (let place = 0; place < json.choices.length; place++) {
    const choice: unknown = json.choices[place]
    if (isObject(choice) && repairChoice(choice, place, chat, options.newId)) changed = true
  }
  return { json, changed }
}

function repairChoice(choice: JsonObject, place: number, chat: boolean, newId: () => string): boolean {
  let changed = false
  if (!Number.isInteger(choice.index)) {
    choice.index = place
    changed = true
  }
  const message = chat && isObject(choice.message) ? choice.message : undefined
  if (message && repairMessage(message, newId)) changed = true
  const reason = finishReason(choice.finish_reason, Array.isArray(message?.tool_calls) && message.tool_calls.length > 0)
  if (choice.finish_reason !== reason) {
    choice.finish_reason = reason
    changed = true
  }
  return changed
}

function repairMessage(message: JsonObject, newId: () => string): boolean {
  let changed = false
  if (message.role !== 'assistant') {
    message.role = 'assistant'
    changed = true
  }
  if (message.content === undefined) {
    message.content = null
    changed = true
  }
  return (Array.isArray(message.tool_calls) && repairToolCalls(message.tool_calls, newId)) || changed
}

function finishReason(given: unknown, calls: boolean): string {
  const reason = typeof given === 'string' && given !== '' ? given : 'stop'
  return reason === 'stop' && calls ? 'tool_calls' : reason
}
