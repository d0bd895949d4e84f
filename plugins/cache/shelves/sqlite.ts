import type { Logger } from 'gatehouse'
import type { KeptAnswer } from '../kept.ts'
import type { Limits } from '../memory/memory.ts'
import type { Shelf } from '../shelf.ts'
import { readHead } from './head.ts'
import { createBackground, type Left } from './sqlite/background.ts'
import { type Cleared, countKept, isCleared, nameInFile } from './sqlite/cleared.ts'
import { guardFile } from './sqlite/guard.ts'
import type { Rows } from './sqlite/rows.ts'
import { createWaiting } from './sqlite/waiting.ts'
import { shrink, workThrough } from './sqlite/work.ts'

export interface SqliteShelfOptions {
  /** The file, in a folder that is there. Nobody else may use it meanwhile. */
  readonly path: string
  readonly limits: Limits
  readonly log: Logger
  readonly now?: () => number
}

/** Answers are written so long after they came, or as soon as there are so many of them, or so many bytes. */
const gather = { ms: 250, answers: 64, bytes: 1024 * 1024 }

/** So long uses wait to be noted, and so many of them; what goes beyond is not noted. */
const uses = { ms: 10_000, most: 1024 }

/** A slice of the work ends with the step that goes beyond this. */
const sliceMs = 1

/** How often it is looked whether something has become too old. */
const sweepMs = 60_000

/** Answers in a SQLite file, for one process. A file that cannot be used is told of in the log, and tried again later. */
export function openSqliteShelf({ path, limits: first, log, now = Date.now }: SqliteShelfOptions): Shelf {
  const file = guardFile({ path, log, now })
  const waiting = createWaiting()
  const used = new Set<string>()
  const cleared: Cleared = new Map()
  let limits = first
  let closed = false
  let work: { readonly rows: Rows; readonly steps: Generator<void, void> } | undefined

  const doSome = (rows: Rows): boolean => {
    // what was begun with a file that is not there any more is begun anew
    if (work?.rows !== rows) work = { rows, steps: workThrough(rows, { waiting, uses: used, cleared, limits: () => limits, now }) }
    const end = performance.now() + sliceMs
    let done = work.steps.next().done
    while (!done && performance.now() < end) done = work.steps.next().done
    if (done) work = undefined
    return done === true
  }
  const slice = (): Left => {
    const before = waiting.size
    const done = file.write(rows => rows.transaction(() => doSome(rows)) && !shrink(rows))
    if (done === undefined) {
      work = undefined
      waiting.dropAll() // memory has them
      return 'nothing'
    }
    if (waiting.size < before) file.works()
    if (waiting.size > 0 || cleared.size > 0) return 'answers'
    return done ? 'nothing' : 'upkeep'
  }
  const background = createBackground(slice)
  const sweep = setInterval(() => background.within(0), sweepMs).unref()
  background.within(gather.ms)

  /** As long as the longest recording, which is also what may wait. */
  const longest = () => Math.min(limits.maxBytes / 4, 16 * 1024 * 1024)
  const youngAge = (keptAt: number, maxAgeMs: number) => {
    const ageMs = Math.max(0, now() - keptAt) // clocks are set back
    return ageMs < limits.ttlMs && ageMs < maxAgeMs ? ageMs : undefined
  }
  const find = (rows: Rows, key: string) => {
    const row = rows.find(key)
    return row && !isCleared(cleared, row) ? row : undefined
  }
  const note = (key: string) => {
    if (closed || used.size >= uses.most) return
    used.delete(key)
    used.add(key)
    if (used.size === 1 || used.size === uses.most) background.within(used.size === 1 ? uses.ms : gather.ms)
  }
  const read = (rows: Rows, key: string, maxAgeMs: number): KeptAnswer | undefined => {
    const row = find(rows, key)
    const ageMs = row && youngAge(row.keptAt, maxAgeMs)
    if (!row || ageMs === undefined) return
    const head = readHead(row.head)
    const body = rows.read(key, row)
    if (!head || !body) return
    note(key)
    return { head, body, ageMs }
  }
  return {
    name: 'sqlite',
    fresh: () => true,
    get(key, maxAgeMs) {
      const found = waiting.get(key)
      if (!found) return file.read(rows => read(rows, key, maxAgeMs))
      const ageMs = youngAge(found.keptAt, maxAgeMs)
      return ageMs === undefined ? undefined : { head: found.answer.head, body: found.answer.body.slice(), ageMs }
    },
    touch: note,
    set(key, answer) {
      const { length } = answer.body
      if (closed || !file.writable || length > longest() || limits.maxEntries < 1) return
      const replaced = waiting.get(key)?.answer.body.length ?? 0
      if (waiting.bytes - replaced + length > longest()) return
      waiting.add(key, { answer, keptAt: Math.round(now() - ('ageMs' in answer ? answer.ageMs : 0)) })
      background.within(waiting.size >= gather.answers || waiting.bytes >= gather.bytes ? 0 : gather.ms)
    },
    async clear(model) {
      const keys = waiting.keysOf(model)
      const count = file.read(rows => countKept(rows, cleared, model) + keys.filter(key => !find(rows, key)).length)
      for (const key of keys) waiting.drop(key)
      if (model === undefined) {
        used.clear()
        cleared.clear()
        file.empty()
      } else {
        cleared.set(nameInFile(model), file.read(rows => rows.last) ?? Number.POSITIVE_INFINITY)
        await background.drain()
      }
      return count
    },
    limit(next) {
      limits = next
      background.within(gather.ms)
    },
    flush: () => background.drain(),
    async close() {
      if (closed) return
      closed = true
      clearInterval(sweep)
      await background.drain()
      background.stop()
      file.close()
    },
  }
}
