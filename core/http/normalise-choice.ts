import { isObject, type JsonObject } from './json-object.ts'
import { createToolCallDeltas } from './normalise-tools.ts'

/** One choice of a stream. */
export interface StreamedChoice {
  /** True once its finish reason has been sent. */
  readonly finished: boolean
  /** Repairs role, tool calls and finish reason of its next delta; true when something changed. */
  repair(choice: JsonObject): boolean
  /** The choice that brings a finish reason the upstream forgot. */
  finish(): JsonObject
}

/** A choice of which nothing has been seen yet. */
export function createChoice(index: number, chat: boolean, newId: () => string): StreamedChoice {
  const calls = createToolCallDeltas(newId)
  let opened = false
  let finished = false

  const repairDelta = (choice: JsonObject): boolean => {
    const delta = isObject(choice.delta) ? choice.delta : {}
    let changed = delta !== choice.delta
    choice.delta = delta
    if (!opened && delta.role !== 'assistant') {
      delta.role = 'assistant'
      changed = true
    } else if (opened && delta.role !== undefined) {
      delete delta.role
      changed = true
    }
    opened = true
    return (Array.isArray(delta.tool_calls) && calls.repair(delta.tool_calls)) || changed
  }

  const repairFinish = (choice: JsonObject): boolean => {
    const reason = choice.finish_reason
    if (reason === null || reason === undefined) return false
    if (finished || typeof reason !== 'string' || reason === '') {
      choice.finish_reason = null
      return true
    }
    finished = true
    if (reason !== 'stop' || !calls.any) return false
    choice.finish_reason = 'tool_calls'
    return true
  }

  return {
    get finished() {
      return finished
    },
    repair(choice) {
      const changed = chat && repairDelta(choice)
      return repairFinish(choice) || changed
    },
    finish() {
      finished = true
      const finish_reason = calls.any ? 'tool_calls' : 'stop'
      if (!chat) return { index, text: '', logprobs: null, finish_reason }
      return { index, delta: opened ? {} : { role: 'assistant', content: '' }, logprobs: null, finish_reason }
    },
  }
}
