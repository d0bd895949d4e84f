import type { Answer, KeptAnswer } from '../kept.ts'
import { costOf, createBlocks } from './blocks.ts'
import { createChain } from './chain.ts'
import { none, type Row, rowCost } from './columns.ts'
import { createHeads, numberOf } from './head.ts'
import { createRecording, type Recording, type Room } from './recording.ts'
import { createRecordings } from './recordings.ts'
import { blockBytes, blockCost, slabCost } from './slabs.ts'
import { createTable } from './table.ts'

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
  /** Keeps an answer, which may have an age already; one of the same key is replaced. False when there cannot be room for it. */
  set(key: string, answer: Answer, ageMs?: number): boolean
  /** An answer that is still arriving. It has its room at once. */
  record(): Recording
  /** Drops all answers, or those of one model; how many there were. Recordings stay. */
  clear(model?: string): number
  /** Other limits from now on, also for what is kept already. */
  limit(limits: Limits): void
  /** How many answers are kept. */
  readonly entries: number
  /**
   * What they and the recordings take, keys and bookkeeping included. Never more than `maxBytes`, unless recordings alone
   * are more than that.
   */
  readonly bytes: number
}

/** A longer recording is not kept: one answer must not drive out most of the others. */
const longestRecording = 16 * 1024 * 1024

/** Answers in this process. Getting and setting one takes the same time however many there are. */
export function createMemory(first: Limits, now: () => number = Date.now): AnswerMemory {
  let limits = first
  const table = createTable()
  const blocks = createBlocks()
  const heads = createHeads(blocks)
  const recordings = createRecordings()

  const bytes = () => table.size * rowCost + blocks.taken * blockCost
  const ageOf = ({ keptAt }: Row) => Math.max(0, now() - keptAt) // clocks are set back
  const drop = (entry: number, row: Row) => {
    table.remove(entry)
    if (!recordings.keepAlone(row.first)) blocks.free(row.first)
  }
  const replace = (key: string) => {
    const entry = table.find(key)
    if (entry !== none) drop(entry, table.row(entry))
  }
  const makeRoom = (cost: number, count: number) => {
    for (let entry = table.oldest; entry !== none; entry = table.oldest) {
      const row = table.row(entry)
      const fits = bytes() + cost <= limits.maxBytes && table.size + count <= limits.maxEntries
      if (fits && ageOf(row) < limits.ttlMs) return
      drop(entry, row)
    }
  }
  /** Whether dropping every entry would make room for one that costs this. */
  const canFit = (cost: number) => recordings.blocks * blockCost + cost <= limits.maxBytes && limits.maxEntries >= 1
  const pack = () => blocks.pack(move => table.pack(recordings.moved(move)))
  /**
   * Blocks and columns have the size of their busiest time: recordings may have been more than the limit, or many small
   * answers have come after few large ones.
   */
  const packWhenTooLarge = () => {
    if (bytes() <= limits.maxBytes && blocks.held + table.held > 1.03 * limits.maxBytes + 2 * slabCost) pack()
  }

  const room: Room = {
    get longest() {
      return Math.min(limits.maxBytes / 4, longestRecording)
    },
    makeRoom(count) {
      if (count === 0) return true
      makeRoom(count * blockCost, 0)
      return bytes() + count * blockCost <= limits.maxBytes
    },
    keep(chain, key, head) {
      const bodyLength = chain.length
      const tail = heads.encode(head)
      const cost = rowCost + chain.needs(tail.length) * blockCost
      if (!canFit(cost)) return false
      replace(key)
      makeRoom(cost, 1)
      chain.append(tail)
      table.add(key, { first: chain.first, bodyLength, headLength: tail.length, model: numberOf(head.model), keptAt: now() })
      recordings.share(chain)
      packWhenTooLarge()
      return true
    },
    release(chain) {
      if (!recordings.remove(chain)) blocks.free(chain.first)
      packWhenTooLarge()
    },
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
      const { bodyLength, headLength } = row
      // not one buffer for both: `subarray` makes an object of the memory behind it, which takes longer than all the rest
      const body = Buffer.allocUnsafeSlow(bodyLength)
      const last = blocks.read(row.first, 0, bodyLength, body)
      return { head: heads.read(last, bodyLength % blockBytes, headLength), body, ageMs }
    },
    set(key, { head, body }, ageMs = 0) {
      replace(key)
      const tail = heads.encode(head)
      const cost = rowCost + costOf(body.length + tail.length)
      if (ageMs >= limits.ttlMs || !canFit(cost)) return false
      makeRoom(cost, 1)
      const start = blocks.write([Buffer.from(body.buffer, body.byteOffset, body.byteLength), tail])
      const model = numberOf(head.model)
      table.add(key, { first: start, bodyLength: body.length, headLength: tail.length, model, keptAt: now() - ageMs })
      packWhenTooLarge()
      return true
    },
    record() {
      const chain = createChain(blocks)
      recordings.add(chain)
      return createRecording(chain, room)
    },
    clear(model) {
      const wanted = model === undefined ? undefined : numberOf(model)
      let dropped = 0
      for (let entry = table.oldest, newer = none; entry !== none; entry = newer) {
        newer = table.newer(entry)
        const row = table.row(entry)
        if (wanted !== undefined && row.model !== wanted) continue
        drop(entry, row)
        dropped++
      }
      if (dropped > 0) pack()
      return dropped
    },
    limit(next) {
      const smaller = next.maxBytes < limits.maxBytes || next.maxEntries < limits.maxEntries
      limits = next
      makeRoom(0, 0)
      if (smaller) pack()
    },
    get entries() {
      return table.size
    },
    get bytes() {
      return bytes()
    },
  }
}
