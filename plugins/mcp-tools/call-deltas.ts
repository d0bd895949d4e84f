import { isObject, type JsonObject } from './json.ts'
import type { Offer } from './offer.ts'
import { isOurs, isSurelyTheirs } from './owner.ts'

/** The tool calls of one streamed turn: those of the client are passed on, ours are held back. */
export interface CallDeltas {
  /** What of these may be passed on now, with places of its own; the same list when nothing had to change. */
  take(deltas: readonly JsonObject[]): readonly JsonObject[]
  /** What was still held back and is the client's, now that all calls are whole. */
  finish(): readonly JsonObject[]
  /** Our calls, whole. */
  readonly ours: readonly JsonObject[]
  /** How many the client gets. */
  readonly theirs: number
}

interface Call {
  readonly whole: JsonObject
  readonly made: JsonObject
  owner: 'we' | 'they' | undefined
  /** Among those of the client. */
  place: number
  /** As long as nobody knows whose it is. */
  held: readonly JsonObject[]
}

/** No calls seen yet. */
export function createCallDeltas(offer: Pick<Offer, 'tools' | 'client'>): CallDeltas {
  const calls = new Map<unknown, Call>()
  let theirs = 0

  const open = (index: unknown): Call => {
    const made: JsonObject = { name: '', arguments: '' }
    const call: Call = { whole: { function: made }, made, owner: undefined, place: 0, held: [] }
    calls.set(index, call)
    return call
  }
  /** Says whose it is, when that is known; what was held back of it then. */
  const decide = (call: Call, complete: boolean): readonly JsonObject[] => {
    if (call.owner) return []
    const name = call.made.name as string
    if (complete) call.owner = isOurs(name, offer) ? 'we' : 'they'
    else if (isSurelyTheirs(name, offer)) call.owner = 'they'
    if (call.owner === 'they') call.place = theirs++
    if (!call.owner) return []
    const { held } = call
    call.held = []
    return call.owner === 'they' ? held.map(delta => ({ ...delta, index: call.place })) : []
  }
  const complete = (but?: Call) => [...calls.values()].flatMap(call => (call === but ? [] : decide(call, true)))

  return {
    take(deltas) {
      const out: JsonObject[] = []
      for (const delta of deltas) {
        let call = calls.get(delta.index)
        if (!call) {
          out.push(...complete())
          call = open(delta.index)
        }
        merge(call, delta)
        out.push(...decide(call, call.made.arguments !== ''))
        if (call.owner === 'they') out.push(call.place === delta.index ? delta : { ...delta, index: call.place })
        else if (!call.owner) call.held = [...call.held, delta]
      }
      return out.length === deltas.length && out.every((delta, at) => delta === deltas[at]) ? deltas : out
    },
    finish: complete,
    get ours() {
      return [...calls.values()].filter(({ owner }) => owner === 'we').map(({ whole }) => whole)
    },
    get theirs() {
      return theirs
    },
  }
}

/** Names and arguments come in pieces, the rest at once. */
function merge({ whole, made }: Call, { index: _, function: piece, ...rest }: JsonObject): void {
  for (const name in rest) if (rest[name] !== null) whole[name] = rest[name]
  if (!isObject(piece)) return
  for (const name in piece) {
    const value = piece[name]
    if ((name === 'name' || name === 'arguments') && typeof value === 'string') made[name] = `${made[name]}${value}`
    else if (value !== null) made[name] = value
  }
}
