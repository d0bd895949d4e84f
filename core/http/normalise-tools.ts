import { filled, isObject, type JsonObject } from './json-object.ts'

/** The tool calls of one streamed choice. */
export interface ToolCallDeltas {
  /** True once a call has been seen. */
  readonly any: boolean
  /** Repairs the calls in one delta: indexes, ids, type, arguments. True when something changed. */
  repair(calls: readonly unknown[]): boolean
}

interface Call {
  /** Where the call stands in our answer. */
  readonly index: number
  /** The upstream's own id, which later deltas may repeat. */
  readonly id: string | undefined
  /** As far as it is known: some servers send it in pieces, before the arguments. */
  name: string | undefined
  hasArguments: boolean
}

/** No calls seen yet. */
export function createToolCallDeltas(newId: () => string): ToolCallDeltas {
  const calls: Call[] = []
  const sentIds = new Set<string>()
  const byUpstreamIndex = new Map<number, Call>()

  /** The call this delta goes on with; undefined when it begins one. */
  const find = (upstreamIndex: number | undefined, id: string | undefined, name: string | undefined): Call | undefined => {
    if (upstreamIndex === undefined) {
      if (id !== undefined) return calls.find(call => call.id === id)
      return name === undefined ? calls.at(-1) : undefined
    }
    const call = byUpstreamIndex.get(upstreamIndex)
    if (!call) return name === undefined && id !== undefined ? calls.find(other => other.id === id) : undefined
    if (name === undefined) return call
    // Some servers give every call the index 0. Older vLLM makes up an id per delta, but names the function only once.
    if (call.name === undefined || (id === undefined && !call.hasArguments)) return call
    const begins = id === undefined ? name !== call.name : id !== call.id
    return begins ? undefined : call
  }

  const open = (delta: JsonObject, id: string | undefined, name: string | undefined): Call => {
    const call: Call = { index: calls.length, id, name, hasArguments: false }
    calls.push(call)
    const sentId = id === undefined || sentIds.has(id) ? `call_${newId()}` : id
    sentIds.add(sentId)
    delta.id = sentId
    if (filled(delta.type) === undefined && delta.custom === undefined) delta.type = 'function'
    return call
  }

  const repairOne = (delta: JsonObject): boolean => {
    const given = isObject(delta.function) ? delta.function : {}
    const upstreamIndex = Number.isInteger(delta.index) ? (delta.index as number) : undefined
    const id = filled(delta.id)
    const name = filled(given.name) ?? customName(delta)
    const { id: idBefore, type: typeBefore } = delta

    const known = find(upstreamIndex, id, name)
    const call = known ?? open(delta, id, name)
    if (upstreamIndex !== undefined) byUpstreamIndex.set(upstreamIndex, call)

    let changed = delta.id !== idBefore || delta.type !== typeBefore
    if (delta.index !== call.index) {
      delta.index = call.index
      changed = true
    }
    // OpenAI's Python SDK joins whatever strings later deltas bring, so an id or name said twice would be doubled.
    if (known && id !== undefined) {
      delete delta.id
      changed = true
    }
    if (known && name !== undefined) {
      if (known.name === name) {
        delete given.name
        changed = true
      } else known.name = `${known.name ?? ''}${name}`
    }
    if (filled(given.arguments) !== undefined || isObject(given.arguments)) call.hasArguments = true
    return stringifyArguments(given) || changed
  }

  return {
    get any() {
      return calls.length > 0
    },
    repair(deltas) {
      let changed = false
      for (const delta of deltas) {
        if (isObject(delta) && repairOne(delta)) changed = true
      }
      return changed
    },
  }
}

/** Repairs the tool calls of a whole answer; true when something changed. */
export function repairToolCalls(calls: readonly unknown[], newId: () => string): boolean {
  const ids = new Set<string>()
  let changed = false
  for (const call of calls) {
    if (!isObject(call)) continue
    const id = filled(call.id)
    if (id === undefined || ids.has(id)) {
      call.id = `call_${newId()}`
      changed = true
    }
    ids.add(call.id as string)
    if (filled(call.type) === undefined && call.custom === undefined) {
      call.type = 'function'
      changed = true
    }
    if (!isObject(call.function)) continue
    if (call.function.arguments === undefined || call.function.arguments === null) call.function.arguments = {}
    if (stringifyArguments(call.function)) changed = true
  }
  return changed
}

/** OpenAI's arguments are a JSON string; some servers send the object itself. */
function stringifyArguments(given: JsonObject): boolean {
  if (typeof given.arguments !== 'object' || given.arguments === null) return false
  given.arguments = JSON.stringify(given.arguments)
  return true
}

const customName = (delta: JsonObject) => (isObject(delta.custom) ? filled(delta.custom.name) : undefined)
