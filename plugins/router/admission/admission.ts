import type { Ageing } from './ageing.ts'
import type { Request, Ticket, Waiting } from './entry.ts'
import { createLine, type Line } from './line.ts'
import type { AdmissionOptions } from './options.ts'
import type { Refusal } from './refusal.ts'
import { createSwaps, type SwapBound } from './swaps.ts'

export type { Limits, Request, Ticket, Waiting } from './entry.ts'
export type { AdmissionOptions } from './options.ts'
export type { Refusal, RefusalReason } from './refusal.ts'
export { refusalError } from './refusal.ts'
export type { Readiness } from './swaps.ts'

/** Who has a place at which model, and who is next. Nothing in here waits for time to pass: call `look`. */
export interface Admission {
  /** A place at once, or a place in the queue, or neither. Throws the reason of a signal that is aborted already. */
  enter(request: Request): Ticket | Waiting | Refusal
  /** Time has passed, or models have started or stopped. To be called now and then, and when models change. */
  look(): void
  /** How many requests have a place at a model, or will have one before it may go: none is what an eviction policy calls idle. */
  claims(model: string): number
  /** How many wait for a place at a model. */
  queued(model: string): number
  /** Every model that has a queue. */
  list(): readonly AdmissionRow[]
  /** Other rules from now on, for those who wait as well. */
  configure(options: AdmissionOptions): void
}

/** A model as one sees it from outside. */
export interface AdmissionRow {
  readonly model: string
  readonly slots: number
  readonly inFlight: number
  readonly queued: number
  /** Its requests wait so that another model can be started. */
  readonly held: boolean
}

/** At 8 slots, and 2 seconds for a request, that is the same. */
const usualBound: SwapBound = { mostAhead: 64, longestMs: 15_000 }
const usualAgeing: Ageing = { afterMs: 30_000, every: 8 }
/** More than any house has; beyond that, those that nobody uses go. */
const mostLines = 1024
const none: readonly string[] = []

/** Without a queue there is nothing to be counted either. */
const freeTicket: Ticket = { state: 'admitted', waitedMs: 0, release() {} }

/** A queue in front of each model. */
export function createAdmission(first: AdmissionOptions): Admission {
  let options = first
  const { now = performance.now.bind(performance) } = first
  const lines = new Map<string, Line>()

  const readinessOf = (model: string) => options.readinessOf?.(model) ?? 'ready'
  const swaps = createSwaps({
    bound: first.swapBound ?? usualBound,
    readinessOf,
    blockersOf: model => options.blockersOf?.(model) ?? none,
    isWanted: model => claims(model) > 0,
    now,
  })
  const claims = (model: string) => {
    const line = lines.get(model)
    return line ? line.inFlight + (swaps.holds(model) ? 0 : line.queued) : 0
  }
  const freed: string[] = []
  const held: string[] = []
  let telling = false
  /** Holds count at once; what they bring about comes one after the other, because it changes holds. */
  const lookAtSwaps = () => {
    const changed = swaps.look()
    if (!changed) return
    freed.push(...changed.freed)
    held.push(...changed.held)
    if (telling) return
    telling = true
    try {
      for (let model = freed.pop() ?? held.pop(); model !== undefined; model = freed.pop() ?? held.pop()) {
        lines.get(model)?.drain()
        tellRest(model)
      }
    } finally {
      telling = false
    }
  }
  const tellRest = (model: string) => {
    if (options.onRest && claims(model) === 0) options.onRest(model)
  }
  const lineOf = (model: string): Line => {
    const known = lines.get(model)
    if (known) return known
    const line = createLine({
      model,
      ageing: first.ageing ?? usualAgeing,
      slots: () => options.slotsOf(model),
      memory: () => options.memoryOf?.(model) ?? Number.POSITIVE_INFINITY,
      limits: () => options.limits,
      weightOf: key => options.weightOf(key),
      isHeld: () => swaps.holds(model),
      isReady: () => readinessOf(model) === 'ready',
      granted() {
        swaps.granted(model)
        lookAtSwaps()
      },
      left() {
        lookAtSwaps()
        tellRest(model)
      },
      now,
    })
    lines.set(model, line)
    return line
  }

  const forgetIdle = () => {
    for (const [model, { inFlight, queued }] of lines) if (inFlight === 0 && queued === 0) lines.delete(model)
  }

  return {
    enter(request) {
      const { model, signal } = request
      signal.throwIfAborted()
      if (options.slotsOf(model) === Number.POSITIVE_INFINITY && !lines.has(model)) return freeTicket
      lookAtSwaps()
      return lineOf(model).enter(request)
    },
    look() {
      for (const line of lines.values()) if (line.queued > 0) line.expire()
      lookAtSwaps()
      for (const line of lines.values()) line.drain()
      if (lines.size > mostLines) forgetIdle() // names of models may come from clients
    },
    claims,
    queued: model => lines.get(model)?.queued ?? 0,
    list: () =>
      [...lines].map(([model, { inFlight, queued }]) => ({
        ...{ model, slots: options.slotsOf(model), inFlight, queued, held: swaps.holds(model) },
      })),
    configure(next) {
      options = next
      forgetIdle()
      for (const line of lines.values()) line.drain()
    },
  }
}
