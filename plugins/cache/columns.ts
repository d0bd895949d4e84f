/** No entry. */
export const none = -1

/** SHA-256. */
export const keyBytes = 32
/** The same in numbers of four bytes. */
export const keyWords = keyBytes / 4

/** What an entry takes in all columns, and as much again for their growth. */
export const rowCost = 2 * (keyBytes + 3 * 4 + 8 + 3 * 4 + 4)

/** What a table knows of its entries, a column of numbers for each thing. */
export interface Columns {
  readonly capacity: number
  readonly keys: Buffer
  /** The same bytes, as numbers. */
  readonly words: Int32Array
  /** Three numbers for each entry. */
  readonly rows: Int32Array
  readonly keptAt: Float64Array
  readonly newer: Int32Array
  readonly older: Int32Array
  /** The next entry of the same bucket; for entries not in use, the next of those. */
  readonly next: Int32Array
  /** The first entry of each bucket; as many as there are entries. */
  readonly buckets: Int32Array
}

/** Columns for so many entries, which must be a power of two; the buckets are empty. */
export function createColumns(capacity: number): Columns {
  const keys = Buffer.alloc(capacity * keyBytes)
  return {
    capacity,
    keys,
    words: new Int32Array(keys.buffer, keys.byteOffset, capacity * keyWords),
    rows: new Int32Array(capacity * 3),
    keptAt: new Float64Array(capacity),
    newer: new Int32Array(capacity),
    older: new Int32Array(capacity),
    next: new Int32Array(capacity),
    buckets: new Int32Array(capacity).fill(none),
  }
}

/** Twice as large, its buckets still empty. */
export function grown(from: Columns): Columns {
  const to = createColumns(from.capacity * 2)
  to.keys.set(from.keys)
  to.rows.set(from.rows)
  to.keptAt.set(from.keptAt)
  to.newer.set(from.newer)
  to.older.set(from.older)
  return to
}
