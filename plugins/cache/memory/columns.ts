import { letGo } from './let-go.ts'

/** No entry. */
export const none = -1

/** SHA-256. */
export const keyBytes = 32
/** The same in numbers of four bytes. */
export const keyWords = keyBytes / 4

/** What is known of an entry besides its key. */
export interface Row {
  /** Where its bytes begin. */
  readonly first: number
  readonly bodyLength: number
  /** Of the head, which lies behind the body. */
  readonly headLength: number
  /** A number made from the name of the model. */
  readonly model: number
  /** Milliseconds since 1970. */
  readonly keptAt: number
}

/** All of a row but the time. */
const rowNumbers = 4

/** What an entry takes in all columns. */
const entryCost = keyBytes + rowNumbers * 4 + 8 + 3 * 4 + 4

/** The same, and as much again for the growth of the columns. */
export const rowCost = 2 * entryCost

/** What columns of this capacity take. */
export const costOfColumns = ({ capacity }: Columns): number => capacity * entryCost

/** Columns of so few entries that fewer would save nothing. */
export const fewest = 1024

/** What a table knows of its entries, a column of numbers for each thing. */
export interface Columns {
  readonly capacity: number
  readonly keys: Buffer<ArrayBuffer>
  /** The same bytes, as numbers. */
  readonly words: Int32Array<ArrayBuffer>
  /** `rowNumbers` for each entry. */
  readonly rows: Int32Array<ArrayBuffer>
  readonly keptAt: Float64Array<ArrayBuffer>
  readonly newer: Int32Array<ArrayBuffer>
  readonly older: Int32Array<ArrayBuffer>
  /** The next entry of the same bucket; for entries not in use, the next of those. */
  readonly next: Int32Array<ArrayBuffer>
  /** The first entry of each bucket; as many as there are entries. */
  readonly buckets: Int32Array<ArrayBuffer>
}

/** Columns for so many entries, which must be a power of two; the buckets are empty. */
export function createColumns(capacity: number): Columns {
  const keys = Buffer.alloc(capacity * keyBytes)
  return {
    capacity,
    keys,
    words: new Int32Array(keys.buffer, keys.byteOffset, capacity * keyWords),
    rows: new Int32Array(capacity * rowNumbers),
    keptAt: new Float64Array(capacity),
    newer: new Int32Array(capacity),
    older: new Int32Array(capacity),
    next: new Int32Array(capacity),
    buckets: new Int32Array(capacity).fill(none),
  }
}

/** What is known of an entry. */
export function rowOf({ rows, keptAt }: Columns, entry: number): Row {
  const at = entry * rowNumbers
  return {
    first: rows[at] as number,
    bodyLength: rows[at + 1] as number,
    headLength: rows[at + 2] as number,
    model: rows[at + 3] as number,
    keptAt: keptAt[entry] as number,
  }
}

/** Writes down what is known of an entry. */
export function setRow({ rows, keptAt: times }: Columns, entry: number, { first, bodyLength, headLength, model, keptAt }: Row): void {
  const at = entry * rowNumbers
  rows[at] = first
  rows[at + 1] = bodyLength
  rows[at + 2] = headLength
  rows[at + 3] = model
  times[entry] = keptAt
}

/** Twice as large, its buckets still empty. The old ones are gone. */
export function grown(from: Columns): Columns {
  const to = createColumns(from.capacity * 2)
  to.keys.set(from.keys)
  to.rows.set(from.rows)
  to.keptAt.set(from.keptAt)
  to.newer.set(from.newer)
  to.older.set(from.older)
  letGoOf(from)
  return to
}

/**
 * Just large enough for `count` entries, which are numbered by age from now on: 0 is the oldest. The buckets are still
 * empty. `moved` says where the bytes of an entry begin now. The old ones are gone.
 */
export function packed(from: Columns, oldest: number, count: number, moved: (first: number) => number): Columns {
  let capacity = fewest
  while (capacity < count) capacity *= 2
  const to = createColumns(capacity)
  let entry = oldest
  for (let i = 0; i < count; i++) {
    for (let word = 0; word < keyWords; word++) to.words[i * keyWords + word] = from.words[entry * keyWords + word] as number
    for (let at = 0; at < rowNumbers; at++) to.rows[i * rowNumbers + at] = from.rows[entry * rowNumbers + at] as number
    to.rows[i * rowNumbers] = moved(from.rows[entry * rowNumbers] as number)
    to.keptAt[i] = from.keptAt[entry] as number
    to.older[i] = i === 0 ? none : i - 1
    to.newer[i] = i === count - 1 ? none : i + 1
    entry = from.newer[entry] as number
  }
  letGoOf(from)
  return to
}

function letGoOf({ keys, rows, keptAt, newer, older, next, buckets }: Columns): void {
  for (const array of [keys, rows, keptAt, newer, older, next, buckets]) letGo(array)
}
