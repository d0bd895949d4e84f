import { type Blocks, costOf, createBlocks } from './blocks.ts'
import { none, rowCost } from './columns.ts'
import { createTable, type Row, type Table } from './table.ts'

/** An answer as it was sent. */
export interface Answer {
  readonly body: Uint8Array<ArrayBuffer>
  readonly contentType: string
}

/** An answer that was kept, and for how long. */
export interface KeptAnswer extends Answer {
  readonly ageMs: number
}

/** How much is kept, and for how long. */
export interface Limits {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly ttlMs: number
}

/** Answers by key. When there is no room, those that were not used for the longest time go. */
export interface AnswerMemory {
  /** The answer, if one is kept that is younger than `maxAgeMs`; it counts as used. */
  get(key: string, maxAgeMs: number): KeptAnswer | undefined
  /** Keeps an answer; one of the same key is replaced. False for one that is larger than all the room. */
  set(key: string, answer: Answer): boolean
  /** Other limits from now on, also for what is kept already. */
  limit(limits: Limits): void
  /** How many answers are kept. */
  readonly entries: number
  /** What they take, keys and bookkeeping included; never more than `maxBytes`. */
  readonly bytes: number
}

/** Answers in this process. Every operation takes the same time however many there are. */
export function createMemory(first: Limits, now: () => number = Date.now): AnswerMemory {
  let limits = first
  let bytes = 0
  let table = createTable()
  let blocks = createBlocks()

  const costOfRow = ({ typeLength, bodyLength }: Omit<Row, 'first'>) => rowCost + costOf(typeLength + bodyLength)
  const ageOf = ({ keptAt }: Row) => Math.max(0, now() - keptAt) // clocks are set back
  const drop = (entry: number, row: Row) => {
    table.remove(entry)
    blocks.free(row.first)
    bytes -= costOfRow(row)
  }
  const makeRoom = (cost: number, count: number) => {
    for (let entry = table.oldest; entry !== none; entry = table.oldest) {
      const row = table.row(entry)
      const fits = bytes + cost <= limits.maxBytes && table.size + count <= limits.maxEntries
      if (fits && ageOf(row) < limits.ttlMs) return
      drop(entry, row)
    }
  }

  return {
    get(key, maxAgeMs) {
      const entry = table.find(key)
      if (entry === none) return
      const row = table.row(entry)
      const ageMs = ageOf(row)
      if (ageMs >= limits.ttlMs) drop(entry, row)
      if (ageMs >= limits.ttlMs || ageMs >= maxAgeMs) return
      table.touch(entry)
      const { first, typeLength, bodyLength } = row
      return {
        body: blocks.read(first, typeLength, bodyLength),
        contentType: blocks.read(first, 0, typeLength).toString('latin1'),
        ageMs,
      }
    },
    set(key, { body, contentType }) {
      const before = table.find(key)
      if (before !== none) drop(before, table.row(before))
      const type = Buffer.from(contentType, 'latin1')
      const row = { typeLength: type.length, bodyLength: body.length, keptAt: now() }
      const cost = costOfRow(row)
      if (cost > limits.maxBytes || limits.maxEntries < 1) return false
      makeRoom(cost, 1)
      table.add(key, { ...row, first: blocks.write([type, Buffer.from(body.buffer, body.byteOffset, body.byteLength)]) })
      bytes += cost
      return true
    },
    limit(next) {
      const smaller = next.maxBytes < limits.maxBytes || next.maxEntries < limits.maxEntries
      limits = next
      makeRoom(0, 0)
      if (smaller) [table, blocks] = moved(table, blocks)
    },
    get entries() {
      return table.size
    },
    get bytes() {
      return bytes
    },
  }
}

/** The same answers in no more memory than they need. Takes the old table apart. */
function moved(from: Table, blocks: Blocks): [Table, Blocks] {
  const table = createTable()
  const to = createBlocks()
  for (let entry = from.oldest; entry !== none; entry = from.oldest) {
    const row = from.row(entry)
    table.add(from.keyOf(entry), { ...row, first: to.write([blocks.read(row.first, 0, row.typeLength + row.bodyLength)]) })
    from.remove(entry)
  }
  blocks.drop()
  return [table, to]
}
