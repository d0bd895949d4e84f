import { blockBytes, blockCost, createSlabs, noBlock } from './slabs.ts'

/**
 * Bytes in chains of blocks. Freed blocks are used again at once, whatever the sizes. Buffers of their own would stay in
 * memory until the garbage collector runs: under many writes, 64 MiB of live buffers were 440 MiB of memory.
 */
export interface Blocks {
  /** Copies the bytes of all parts in, one after the other; the number of their first block. */
  write(parts: readonly Buffer[]): number
  /** Copies in as much as there is room for in one block, behind its first `used` bytes; how much that was. */
  fill(block: number, used: number, bytes: Buffer): number
  /** Copies `length` bytes out, from `from` bytes behind the beginning of this block on. The block where the bytes behind them are. */
  read(first: number, from: number, length: number, to: Buffer): number
  /** The block behind this one. */
  next(block: number): number
  /** Makes a chain go on with another. */
  link(last: number, first: number): void
  /** Gives back every block of a chain, or the first few; the first of those that are left. */
  free(first: number, count?: number): number
  /**
   * Moves all bytes to the fewest slabs that hold them and lets go of the others. Every chain must be moved, once: `move`
   * is given its first block and says which it is now.
   */
  pack(moveAll: (move: (first: number) => number) => void): void
  /** How many blocks are in chains. */
  readonly taken: number
  /** What all slabs take, the blocks that are free included. */
  readonly held: number
}

/** What `length` bytes take. */
export const costOf = (length: number): number => Math.ceil(length / blockBytes) * blockCost

/** Blocks without an upper limit; whoever writes keeps one. */
export function createBlocks(): Blocks {
  const slabs = createSlabs()
  const { next, link, bytesOf, offsetOf } = slabs

  /** The chain that begins here, with no block at `end` or behind it. */
  const moved = (first: number, end: number) => {
    let start = first
    let before = noBlock
    for (let block = first; block !== noBlock; block = next(block)) {
      if (block >= end) {
        const from = block
        block = slabs.take()
        bytesOf(from).copy(bytesOf(block), offsetOf(block), offsetOf(from), offsetOf(from) + blockBytes)
        link(block, next(from))
        if (before === noBlock) start = block
        else link(before, block)
      }
      before = block
    }
    return start
  }

  return {
    write(parts) {
      let first = noBlock
      let last = noBlock
      let used = blockBytes // of the last block
      for (const part of parts) {
        for (let at = 0; at < part.length; ) {
          if (used === blockBytes) {
            const block = slabs.take()
            if (last === noBlock) first = block
            else link(last, block)
            last = block
            used = 0
          }
          const copied = part.copy(bytesOf(last), offsetOf(last) + used, at, at + blockBytes - used)
          at += copied
          used += copied
        }
      }
      if (last !== noBlock) link(last, noBlock)
      return first
    },
    fill: (block, used, bytes) => bytes.copy(bytesOf(block), offsetOf(block) + used, 0, blockBytes - used),
    read(first, from, length, to) {
      let block = first
      let offset = from
      for (; offset >= blockBytes; offset -= blockBytes) block = next(block)
      for (let at = 0; at < length; ) {
        const start = offsetOf(block) + offset
        const copied = bytesOf(block).copy(to, at, start, start + Math.min(blockBytes - offset, length - at))
        at += copied
        offset += copied
        if (offset < blockBytes) continue
        block = next(block)
        offset = 0
      }
      return block
    },
    next,
    link,
    free(first, count = Number.POSITIVE_INFINITY) {
      let block = first
      for (let i = 0; i < count && block !== noBlock; i++) {
        const behind = next(block)
        slabs.give(block)
        block = behind
      }
      return block
    },
    pack: moveAll => slabs.pack(end => moveAll(first => moved(first, end))),
    get taken() {
      return slabs.taken
    },
    get held() {
      return slabs.held
    },
  }
}
