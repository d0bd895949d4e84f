import type { Operation } from '../openai.ts'
import { eachEvent } from './cut-events.ts'
import { isObject, type JsonObject, parseJson } from './json-object.ts'
import { readEvent } from './sse.ts'
import { readFailure, readLooseFailure } from './stream-failure.ts'
import { createWholeChoice, type WholeChoice } from './whole-choice.ts'

/**
 * The whole answer that a recorded, normalised stream amounts to: `toEvents` backwards. Undefined when the stream is not
 * whole: an error, no `[DONE]`, a choice without its end.
 */
export function toWhole(events: Uint8Array, { operation }: { readonly operation: Operation }): JsonObject | undefined {
  const answer = createWhole(operation === 'chat.completions')
  for (const raw of eachEvent(events)) {
    const event = readEvent(raw)
    if (event.data === undefined) {
      if (readLooseFailure(event)) return
      continue
    }
    const text = event.data.trim()
    if (text === '[DONE]') return answer.finish()
    if (text === '') continue
    const json = parseJson(text)
    if (readFailure(json, event)) return
    answer.add(json as JsonObject)
  }
}

/** An answer of which nothing has been seen yet. */
function createWhole(chat: boolean) {
  const whole: JsonObject = {}
  const choices = new Map<number, WholeChoice>()

  const addChoice = (choice: JsonObject) => {
    const index = choice.index as number
    let known = choices.get(index)
    if (!known) {
      known = createWholeChoice(index, chat)
      choices.set(index, known)
    }
    known.add(choice)
  }

  return {
    add(chunk: JsonObject): void {
      for (const name in chunk) {
        const value = chunk[name]
        if (name === 'choices') {
          whole.choices ??= [] // for its place among the fields
          for (const choice of Array.isArray(value) ? value : []) if (isObject(choice)) addChoice(choice)
        } else if (name === 'object') whole.object = chat ? 'chat.completion' : 'text_completion'
        else if (name === 'usage') {
          if (isObject(value)) whole.usage = value // the other events of OpenAI say null
        } else if (name !== 'obfuscation' && (value !== null || whole[name] === undefined)) whole[name] = value
      }
    },
    finish(): JsonObject | undefined {
      const finished: JsonObject[] = []
      for (const [, choice] of [...choices].sort(([one], [other]) => one - other)) {
        const made = choice.finish()
        if (!made) return
        finished.push(made)
      }
      if (finished.length === 0) return
      whole.choices = finished
      return whole
    },
  }
}
