import type { Limits } from '../../memory/memory.ts'
import { type Cleared, nameInFile } from './cleared.ts'
import type { Rows } from './rows.ts'
import { longestPiece } from './tables.ts'
import type { Waiting } from './waiting.ts'

/** What is to be brought into the file. */
export interface Todo {
  readonly waiting: Waiting
  /** Keys of answers that were used, the last one last. */
  readonly uses: Set<string>
  readonly cleared: Cleared
  readonly limits: () => Limits
  readonly now: () => number
}

/** All there is to do now, in steps of about a millisecond at most. Each step leaves a file that makes sense. */
export function* workThrough(rows: Rows, todo: Todo): Generator<void, void> {
  yield* noteUses(rows, todo)
  yield* dropCleared(rows, todo)
  yield* dropExpired(rows, todo)
  for (const key of todo.waiting.keysOf()) yield* write(rows, todo, key)
  yield* makeRoom(rows, todo, 0, 0)
}

function* noteUses(rows: Rows, { uses }: Todo) {
  for (const key of uses) {
    rows.use(key)
    uses.delete(key)
    yield
  }
}

function* dropCleared(rows: Rows, { cleared }: Todo) {
  for (const [model, given] of cleared) {
    const upTo = Math.min(given, rows.last)
    cleared.set(model, upTo)
    for (let ids = rows.ofModel(model, upTo); ids.length > 0; ids = rows.ofModel(model, upTo)) {
      for (const id of ids) {
        rows.remove(id)
        yield
      }
    }
    if (cleared.get(model) === upTo) cleared.delete(model)
  }
}

function* dropExpired(rows: Rows, { limits, now }: Todo) {
  for (let oldest = rows.oldest(); oldest && now() - oldest.keptAt >= limits().ttlMs; oldest = rows.oldest()) {
    rows.remove(oldest.id)
    yield
  }
}

function* write(rows: Rows, todo: Todo, key: string) {
  const { waiting } = todo
  const found = waiting.get(key)
  if (!found) return
  const { answer, keptAt } = found
  const { body } = answer
  const row = { model: nameInFile(answer.head.model), keptAt, length: body.length, head: JSON.stringify(answer.head) }
  const before = rows.find(key)
  if (before) rows.remove(before.id)
  const fits = yield* makeRoom(rows, todo, body.length + overhead, 1)
  const pieces = Math.max(1, Math.ceil(body.length / longestPiece))
  for (let piece = 0; fits && piece < pieces && waiting.get(key) === found; piece++) {
    rows.writePiece(key, row, body, piece)
    if (pieces > 1) yield
  }
  if (waiting.get(key) !== found) return // cleared meanwhile, or there is a newer one
  if (fits) rows.add(key, row)
  waiting.drop(key)
  yield
}

/** What an answer takes in the file beside its bytes, at most. */
const overhead = 8192

/** For so much more. False when that would be too much even if there were nothing else. */
function* makeRoom(rows: Rows, { limits }: Todo, bytes: number, entries: number) {
  while (rows.bytes + bytes > limits().maxBytes || rows.entries + entries > limits().maxEntries) {
    const next = rows.leastUsed()
    if (next === undefined) return false
    rows.remove(next)
    yield
  }
  return true
}

/** What may be free in the file, besides a quarter of what is not. */
const spareBytes = 1024 * 1024

/** Gives some of what is free in the file back to the disk. False when there is nothing to give. */
export function shrink(rows: Rows): boolean {
  const spare = () => rows.free - Math.max(spareBytes, rows.bytes / 4)
  const before = spare()
  if (before <= 0) return false
  rows.shrink()
  const after = spare()
  if (after <= 0) rows.tidy()
  return after > 0 && after < before
}
