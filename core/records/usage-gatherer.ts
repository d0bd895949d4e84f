import type { Logger } from '../log.ts'
import type { Records } from './records.ts'
import { others, type UsageCounts, type UsagePlace, type UsageRow, usagePlaceOf } from './usage.ts'

/** Gathers what requests used, and writes it now and then: a request neither waits for it nor fails because of it. */
export interface UsageGatherer {
  /** Adds to what is counted at a place; a count that is left out is 0. */
  count(place: UsagePlace, counts: Partial<UsageCounts>): void
  /** Notes that a key was used. */
  used(keyId: number, at: number): void
  /** Writes all that was counted until now; what could not be written is kept for the next time. */
  flush(): Promise<void>
  /** Writes the rest, once. */
  close(): Promise<void>
}

export interface GathererOptions {
  readonly records: Pick<Records, 'usage' | 'keys'>
  readonly log: Pick<Logger, 'warn'>
  /** Takes secrets out of a text; names with some in them are counted under `others`. */
  readonly clear?: ((text: string) => string) | undefined
  /** What a killed process loses at most. */
  readonly intervalMs?: number
}

/** In one transaction; it holds up the event loop for 2 to 4 ms. */
const mostAtOnce = 250
/** Waiting for a database that takes nothing; what comes on top is counted without its names. */
const mostWaiting = 20_000

const nothing: UsageCounts = {
  requests: 0,
  cached: 0,
  errors: 0,
  promptTokens: 0,
  completionTokens: 0,
  latencyMs: 0,
  firstTokenMs: 0,
  firstTokens: 0,
}
const names = Object.keys(nothing) as readonly (keyof UsageCounts)[]

/** Starts to gather. */
export function createUsageGatherer({ records, log, intervalMs = 2000, clear = text => text }: GathererOptions): UsageGatherer {
  const waiting = new Map<string, Counted>()
  /** What each key asked for last is mostly what it asks for next, and finding its row by name costs more than all the rest. */
  const recent = new Map<number, Counted>()
  const uses = new Map<number, number>()
  let writing = Promise.resolve()

  const add = (place: UsagePlace, counts: Partial<UsageCounts>, most: number) => {
    const name = nameOf(place)
    let row = waiting.get(name)
    if (!row) {
      if (waiting.size >= most) return add({ ...place, user: others, model: others }, counts, Number.POSITIVE_INFINITY)
      row = { ...place, ...nothing }
      waiting.set(name, row)
    }
    recent.set(place.keyId, row)
    increase(row, counts)
  }
  // callers put keys into the wrong fields
  const nameWithout = (name: string) => (clear(name) === name ? name : others)
  const named = (row: UsageRow): UsageRow => ({ ...row, model: nameWithout(row.model), user: nameWithout(row.user) })
  const writeUsage = async (rows: readonly UsageRow[]) => {
    for (const row of rows) waiting.delete(nameOf(row))
    recent.clear()
    try {
      await records.usage.add(rows.map(named))
    } catch (error) {
      for (const row of rows) add(row, row, Number.POSITIVE_INFINITY)
      throw error
    }
  }
  const writeUses = async (noted: readonly (readonly [number, number])[]) => {
    for (const [id] of noted) uses.delete(id)
    try {
      await records.keys.used(new Map(noted))
    } catch (error) {
      for (const [id, at] of noted) if (!uses.has(id)) uses.set(id, at)
      throw error
    }
  }
  const write = async () => {
    try {
      for (const rows of inParts([...waiting.values()], mostAtOnce)) await writeUsage(rows).then(othersTurn)
      for (const noted of inParts([...uses], mostAtOnce)) await writeUses(noted).then(othersTurn)
    } catch (err) {
      log.warn({ err }, 'Usage could not be written; it is kept and tried again.')
    }
  }
  const flush = () => {
    writing = writing.then(write)
    return writing
  }
  const timer = setInterval(flush, intervalMs)
  timer.unref()

  return {
    count(place, counts) {
      const row = recent.get(place.keyId)
      if (row && isAt(row, place)) increase(row, counts)
      else add(usagePlaceOf(place), counts, mostWaiting)
    },
    used(keyId, at) {
      uses.set(keyId, at)
    },
    flush,
    close() {
      clearInterval(timer)
      return flush()
    },
  }
}

type Counted = { -readonly [Name in keyof UsageRow]: UsageRow[Name] }

const nameOf = ({ day, keyId, model, target, user }: UsagePlace) =>
  `${day} ${keyId} ${model.length} ${target.length} ${model}${target}${user}`

const isAt = (row: UsageRow, { day, model, target, user }: UsagePlace) =>
  row.model === model && row.target === target && row.user === user && row.day === day

function increase(row: Counted, counts: Partial<UsageCounts>): void {
  for (const count of names) row[count] += counts[count] ?? 0
}

const othersTurn = () => new Promise(resolve => setImmediate(resolve))

function* inParts<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size)
}
