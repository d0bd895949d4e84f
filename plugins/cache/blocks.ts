/** Bytes of one block. Larger ones waste more behind the end of each answer, smaller ones cost more copies. */
export const blockBytes = 512

/** What one block takes: its bytes and the number of the next one. */
const blockCost = blockBytes + Int32Array.BYTES_PER_ELEMENT

const blocksPerSlab = 2048

/** No block: the end of a chain. */
const none = -1

/**
 * Bytes in blocks of one size, in slabs that stay until all is dropped. Freed blocks are used again at once, whatever the
 * sizes. Buffers of their own would stay in memory until the garbage collector runs: under many writes, 64 MiB of live
 * buffers were 440 MiB of memory.
 */
export interface Blocks {
  /** Copies the bytes of all parts in, one after the other; the number of their first block. */
  write(parts: readonly Buffer[]): number
  /** A copy of `length` bytes, `from` bytes behind the beginning of this block. */
  read(first: number, from: number, length: number): Buffer<ArrayBuffer>
  /** Gives back every block of a chain. */
  free(first: number): void
  /** Lets go of everything, at once: whoever still holds on to this holds on to nothing large. */
  drop(): void
}

/** What `length` bytes take. */
export const costOf = (length: number): number => Math.ceil(length / blockBytes) * blockCost

interface Slab {
  readonly bytes: Buffer
  /** For each block, the one that follows it. */
  readonly next: Int32Array
}

/** Blocks without an upper limit; whoever writes keeps one. */
export function createBlocks(): Blocks {
  const slabs: Slab[] = []
  let fresh = 0 // blocks from here on were never used
  let freed = none // the chain of those that were

  const slabOf = (block: number) => slabs[Math.floor(block / blocksPerSlab)] as Slab
  const offsetOf = (block: number) => (block % blocksPerSlab) * blockBytes
  const follow = (block: number) => slabOf(block).next[block % blocksPerSlab] as number
  const link = (block: number, next: number) => {
    slabOf(block).next[block % blocksPerSlab] = next
  }
  const take = () => {
    if (freed !== none) {
      const block = freed
      freed = follow(block)
      return block
    }
    if (fresh === slabs.length * blocksPerSlab) {
      slabs.push({ bytes: Buffer.alloc(blocksPerSlab * blockBytes), next: new Int32Array(blocksPerSlab) })
    }
    return fresh++
  }

  return {
    write(parts) {
      let first = none
      let last = none
      let used = blockBytes // of the last block
      for (const part of parts) {
        for (let at = 0; at < part.length; ) {
          if (used === blockBytes) {
            const block = take()
            if (last === none) first = block
            else link(last, block)
            last = block
            used = 0
          }
          const copied = part.copy(slabOf(last).bytes, offsetOf(last) + used, at, at + blockBytes - used)
          at += copied
          used += copied
        }
      }
      if (last !== none) link(last, none)
      return first
    },
    read(first, from, length) {
      const bytes = Buffer.allocUnsafeSlow(length) as Buffer<ArrayBuffer>
      let block = first
      let skip = from
      for (let at = 0; at < length; block = follow(block)) {
        if (skip < blockBytes) {
          const start = offsetOf(block) + skip
          at += slabOf(block).bytes.copy(bytes, at, start, start + Math.min(blockBytes - skip, length - at))
        }
        skip = Math.max(0, skip - blockBytes)
      }
      return bytes
    },
    free(first) {
      let block = first
      while (block !== none) {
        const next = follow(block)
        link(block, freed)
        freed = block
        block = next
      }
    },
    drop() {
      slabs.length = 0
      fresh = 0
      freed = none
    },
  }
}
