import { isObject, type JsonObject } from './json-object.ts'
import { createChoice, type StreamedChoice } from './normalise-choice.ts'

/** All choices of one stream. */
export interface StreamedChoices {
  /** True when there was a choice and each has its finish reason. */
  readonly complete: boolean
  /** How many choices there are so far. */
  readonly count: number
  /** Repairs the `choices` of the next chunk; true when something changed. */
  repair(choices: readonly unknown[]): boolean
  /** What is still owed: a choice for each one without a finish reason. */
  finish(): JsonObject[]
}

/** No choices seen yet. */
export function createChoices(chat: boolean, newId: () => string): StreamedChoices {
  const seen = new Map<number, StreamedChoice>()

  const open = (index: number): StreamedChoice => {
    const choice = createChoice(index, chat, newId)
    seen.set(index, choice)
    return choice
  }
  const unfinished = () => [...seen.values()].filter(choice => !choice.finished)

  return {
    get complete() {
      return seen.size > 0 && unfinished().length === 0
    },
    get count() {
      return seen.size
    },
    repair(choices) {
      let changed = false
      for (let place = 0; place < choices.length; place++) {
        const choice = choices[place]
        if (!isObject(choice)) continue
        if (!Number.isInteger(choice.index)) {
          choice.index = place
          changed = true
        }
        const index = choice.index as number
        if ((seen.get(index) ?? open(index)).repair(choice)) changed = true
      }
      return changed
    },
    finish() {
      // An upstream that says [DONE] and nothing else has given an empty answer; SDKs fail on a stream without a choice.
      if (seen.size === 0) open(0)
      return unfinished().map(choice => choice.finish())
    },
  }
}
