import { isObject, type JsonObject } from './json-object.ts'
import { growField, mergeObject, putField } from './merge-fields.ts'
import { createWholeMessage } from './whole-message.ts'

/** One choice of a whole answer, put together from a stream. */
export interface WholeChoice {
  add(choice: JsonObject): void
  /** Undefined when it never came to its end. */
  finish(): JsonObject | undefined
}

/** A choice of which nothing has been seen yet. */
export function createWholeChoice(index: number, chat: boolean): WholeChoice {
  const message = createWholeMessage()
  const whole: JsonObject = chat ? { index, message: undefined } : { index, text: '' }

  return {
    add(choice) {
      for (const name in choice) {
        const value = choice[name]
        if (name === 'index') continue
        if (chat && name === 'delta') {
          if (isObject(value)) message.add(value)
        } else if (name === 'logprobs' && isObject(value)) mergeObject(whole, name, value, noTexts)
        else if (texts.has(name)) growField(whole, name, value)
        else putField(whole, name, value)
      }
    },
    finish() {
      if (typeof whole.finish_reason !== 'string') return
      if (chat) whole.message = message.finish()
      return whole
    },
  }
}

/** Of a completion. Other texts in a choice, such as why it stopped, are not told in pieces. */
const texts = new Set(['text', 'reasoning', 'reasoning_content'])
const noTexts = new Set<string>()
