import { letGo } from './let-go.ts'

/** Bytes of one block. Larger ones waste more behind the end of each answer, smaller ones cost more copies. */
export const blockBytes = 512

/** What one block takes: its bytes and the number of the next one. */
export const blockCost = blockBytes + Int32Array.BYTES_PER_ELEMENT

const blocksPerSlab = 2048

/** What one slab takes: memory comes and goes in pieces of this size. */
export const slabCost = blocksPerSlab * blockCost

/** No block: the end of a chain, or a chain without any. */
export const noBlock = -1

/** Blocks of one size by their numbers, in slabs that stay until they are packed. A block that was given back is taken again first. */
export interface Slabs {
  take(): number
  give(block: number): void
  /** The block behind this one in its chain. */
  next(block: number): number
  link(block: number, next: number): void
  /** The slab of a block, and where the block begins in it. */
  bytesOf(block: number): Buffer
  offsetOf(block: number): number
  /**
   * Lets go of all slabs but the fewest that can hold what is taken. `moveAll` must move every block that is taken and not
   * below `end` to one that it takes.
   */
  pack(moveAll: (end: number) => void): void
  /** How many blocks are taken. */
  readonly taken: number
  /** What all slabs take, the blocks that are free included. */
  readonly held: number
}

interface Slab {
  readonly bytes: Buffer<ArrayBuffer>
  /** For each block, the one that follows it. */
  readonly next: Int32Array<ArrayBuffer>
}

/** No slabs; there are more when they are needed, without an upper limit. */
export function createSlabs(): Slabs {
  const slabs: Slab[] = []
  let fresh = 0 // blocks from here on were never taken
  let freed = noBlock // the chain of those that were given back
  let taken = 0

  const slabOf = (block: number) => slabs[Math.floor(block / blocksPerSlab)] as Slab
  const next = (block: number) => slabOf(block).next[block % blocksPerSlab] as number
  const link = (block: number, to: number) => {
    slabOf(block).next[block % blocksPerSlab] = to
  }
  const free = (block: number) => {
    link(block, freed)
    freed = block
  }

  return {
    take() {
      taken++
      if (freed !== noBlock) {
        const block = freed
        freed = next(block)
        return block
      }
      if (fresh === slabs.length * blocksPerSlab) {
        slabs.push({ bytes: Buffer.alloc(blocksPerSlab * blockBytes), next: new Int32Array(blocksPerSlab) })
      }
      return fresh++
    },
    give(block) {
      taken--
      free(block)
    },
    next,
    link,
    bytesOf: block => slabOf(block).bytes,
    offsetOf: block => (block % blocksPerSlab) * blockBytes,
    pack(moveAll) {
      const before = taken
      const fewer = Math.ceil(taken / blocksPerSlab)
      const end = fewer * blocksPerSlab
      let block = freed
      freed = noBlock
      fresh = Math.min(fresh, end)
      while (block !== noBlock) {
        const behind = next(block)
        if (block < end) free(block)
        block = behind
      }
      moveAll(end)
      taken = before // moving gives nothing back
      for (const slab of slabs.splice(fewer)) {
        letGo(slab.bytes)
        letGo(slab.next)
      }
    },
    get taken() {
      return taken
    },
    get held() {
      return slabs.length * slabCost
    },
  }
}
