/** What is known of an answer in the file, besides its bytes. */
export interface Row {
  readonly id: number
  readonly model: string
  readonly keptAt: number
  readonly length: number
  /** JSON. */
  readonly head: string
}

/** The same of one that is to be written. */
export type NewRow = Omit<Row, 'id'>

/** The answers in a file, by statements that are prepared once. Everything is synchronous, and throws what SQLite throws. */
export interface Rows {
  /** How many answers there are. */
  readonly entries: number
  /** What the file would take without what is free in it. */
  readonly bytes: number
  /** What is free in the file. */
  readonly free: number
  /** The highest id that an answer has or had. */
  readonly last: number
  find(key: string): Row | undefined
  /** The bytes of an answer; undefined when they, or the row, are not what was written. */
  read(key: string, row: Row): Uint8Array<ArrayBuffer> | undefined
  /** Writes the bytes of the next answer that begin at `piece * longestPiece`. If it never becomes a row, nothing of it stays. */
  writePiece(key: string, row: NewRow, body: Uint8Array, piece: number): void
  /** Makes an answer of the pieces that were written. There must be none of that key. */
  add(key: string, row: NewRow): void
  remove(id: number): void
  /** Makes the answer of that key, if there is one, the last to go. */
  use(key: string): void
  /** The answer that was not used for the longest time. */
  leastUsed(): number | undefined
  /** The answer that was written first. */
  oldest(): Pick<Row, 'id' | 'keptAt'> | undefined
  /** A model's answers up to an id; not all at once, if there are many. */
  ofModel(model: string, upTo: number): readonly number[]
  countOf(model: string, upTo: number): number
  /** Keeps all that `work` does, or nothing. */
  transaction<T>(work: () => T): T
  /** Takes some of what is free out of the file. Not within a transaction. */
  shrink(): void
  /** Brings the file itself to what the log beside it says, for the disk to have back what was taken out. */
  tidy(): void
  close(): void
}
