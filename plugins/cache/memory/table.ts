import {
  type Columns,
  costOfColumns,
  createColumns,
  fewest,
  grown,
  keyBytes,
  keyWords,
  none,
  packed,
  type Row,
  rowOf,
  setRow,
} from './columns.ts'

/**
 * Entries by key and in the order of their use. Keys are SHA-256 in hexadecimal. Entries are numbers and what is known of
 * them stands in typed arrays: as objects in a Map, what was evicted was old when it became garbage, and 64 MiB of small
 * answers were 250 MiB of memory before the collector took care of it.
 */
export interface Table {
  /** The entry of this key, or `none`. */
  find(key: string): number
  /** Adds the entry of a key that has none; it is the newest then. */
  add(key: string, row: Row): void
  remove(entry: number): void
  /** Makes it the newest. */
  touch(entry: number): void
  row(entry: number): Row
  /** The entry that was used next, or `none`. */
  newer(entry: number): number
  /** The same entries in no more memory than they need, under other numbers. `moved` says where their bytes begin now. */
  pack(moved: (first: number) => number): void
  /** The entry that was not used for the longest time, or `none`. */
  readonly oldest: number
  readonly size: number
  /** What it takes, the room for further entries included. */
  readonly held: number
}

/** An empty table; it grows as it needs to. */
export function createTable(): Table {
  let columns = createColumns(fewest)
  let size = 0
  let fresh = 0 // entries from here on were never used
  let freed = none
  let newest = none
  let oldest = none
  const wanted = Buffer.alloc(keyBytes)
  const wantedWords = new Int32Array(wanted.buffer, wanted.byteOffset, keyWords)

  const bucketOf = (words: Int32Array, at: number) => (words[at] as number) & (columns.capacity - 1)
  const isWanted = (entry: number) => {
    for (let i = 0; i < keyWords; i++) if (columns.words[entry * keyWords + i] !== wantedWords[i]) return false
    return true
  }
  const unlink = (entry: number) => {
    const newer = columns.newer[entry] as number
    const older = columns.older[entry] as number
    if (newer === none) newest = older
    else columns.older[newer] = older
    if (older === none) oldest = newer
    else columns.newer[older] = newer
  }
  const linkNewest = (entry: number) => {
    columns.newer[entry] = none
    columns.older[entry] = newest
    if (newest !== none) columns.newer[newest] = entry
    newest = entry
    if (oldest === none) oldest = entry
  }
  const putInBucket = (entry: number) => {
    const bucket = bucketOf(columns.words, entry * keyWords)
    columns.next[entry] = columns.buckets[bucket] as number
    columns.buckets[bucket] = entry
  }
  const take = () => {
    if (freed !== none) {
      const entry = freed
      freed = columns.next[entry] as number
      return entry
    }
    if (fresh === columns.capacity) useAll(grown(columns)) // nothing is free now: every entry is in a bucket
    return fresh++
  }
  const useAll = (others: Columns) => {
    columns = others
    for (let entry = 0; entry < fresh; entry++) putInBucket(entry)
  }

  return {
    find(key) {
      wanted.write(key, 'hex')
      let entry = columns.buckets[bucketOf(wantedWords, 0)] as number
      while (entry !== none && !isWanted(entry)) entry = columns.next[entry] as number
      return entry
    },
    add(key, row) {
      const entry = take()
      columns.keys.write(key, entry * keyBytes, 'hex')
      setRow(columns, entry, row)
      putInBucket(entry)
      linkNewest(entry)
      size++
    },
    remove(entry) {
      const bucket = bucketOf(columns.words, entry * keyWords)
      let at = columns.buckets[bucket] as number
      if (at === entry) columns.buckets[bucket] = columns.next[entry] as number
      else {
        while (columns.next[at] !== entry) at = columns.next[at] as number
        columns.next[at] = columns.next[entry] as number
      }
      unlink(entry)
      columns.next[entry] = freed
      freed = entry
      size--
    },
    touch(entry) {
      if (entry === newest) return
      unlink(entry)
      linkNewest(entry)
    },
    row: entry => rowOf(columns, entry),
    newer: entry => columns.newer[entry] as number,
    pack(moved) {
      const fewer = packed(columns, oldest, size, moved)
      fresh = size
      freed = none
      oldest = size === 0 ? none : 0
      newest = size - 1
      useAll(fewer)
    },
    get oldest() {
      return oldest
    },
    get size() {
      return size
    },
    get held() {
      return costOfColumns(columns)
    },
  }
}
