import type { Blocks } from './blocks.ts'
import { blockBytes, noBlock } from './slabs.ts'

/** Bytes in blocks that grow at their end and go at their front. Places are counted from the first byte there ever was. */
export interface Chain {
  /** The first block that is still there. */
  readonly first: number
  /** The place behind the last byte. */
  readonly length: number
  /** How many blocks it has. */
  readonly blocks: number
  /** How many more it would take for so many more bytes. */
  needs(length: number): number
  append(bytes: Uint8Array): void
  /** A copy, from any place that is still there; as fast at the end as at the beginning. */
  read(at: number, length: number): Buffer<ArrayBuffer>
  /** Gives back the blocks that lie in front of a place. */
  forget(before: number): void
  /** Its blocks are elsewhere now; see `Blocks.pack`. */
  move(moved: (first: number) => number): void
}

/** The number of every so many-th block is known: finding a place takes few steps, however long the chain is. */
const blocksPerMark = 64

/** An empty chain. */
export function createChain(blocks: Blocks): Chain {
  let first = noBlock
  let last = noBlock
  let length = 0
  let gone = 0 // blocks that were given back
  let count = 0 // all there ever were
  const marks: number[] = []
  let marksGone = 0

  const room = () => count * blockBytes - length // in the last block
  const markFrom = (block: number) => {
    for (let at = block; at !== noBlock; at = blocks.next(at)) {
      if (count % blocksPerMark === 0) marks.push(at)
      last = at
      count++
    }
  }
  const blockOf = (index: number) => {
    const mark = Math.floor(index / blocksPerMark)
    const known = Math.max(gone, mark * blocksPerMark)
    let block = known === gone ? first : (marks[mark - marksGone] as number)
    for (let i = known; i < index; i++) block = blocks.next(block)
    return block
  }

  return {
    get first() {
      return first
    },
    get length() {
      return length
    },
    get blocks() {
      return count - gone
    },
    needs: more => Math.max(0, Math.ceil((more - room()) / blockBytes)),
    append(bytes) {
      const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const left = room()
      const filled = left > 0 ? blocks.fill(last, blockBytes - left, all) : 0
      length += all.length
      if (filled === all.length) return
      const added = blocks.write([all.subarray(filled)])
      if (first === noBlock) first = added
      else blocks.link(last, added)
      markFrom(added)
    },
    read(at, wanted) {
      const bytes = Buffer.allocUnsafeSlow(wanted)
      if (wanted > 0) blocks.read(blockOf(Math.floor(at / blockBytes)), at % blockBytes, wanted, bytes)
      return bytes
    },
    forget(before) {
      const passed = Math.floor(Math.min(before, length) / blockBytes)
      if (passed <= gone) return
      first = blocks.free(first, passed - gone)
      gone = passed
      const marksPassed = Math.ceil(gone / blocksPerMark)
      marks.splice(0, marksPassed - marksGone)
      marksGone = marksPassed
    },
    move(moved) {
      first = moved(first)
      count = gone
      marks.length = 0
      marksGone = Math.ceil(gone / blocksPerMark)
      markFrom(first)
    },
  }
}
