import type { Chain } from './chain.ts'

/** The recordings that were not released yet. One that was kept shares its chain with an entry until one of both goes. */
export interface Recordings {
  add(chain: Chain): void
  /** An entry begins with the same block from now on. */
  share(chain: Chain): void
  /** The entry that begins with this block goes. True when a recording has its chain, and has it alone from now on. */
  keepAlone(first: number): boolean
  /** A recording goes. True when an entry has its chain. */
  remove(chain: Chain): boolean
  /** Moves all of them (see `Blocks.pack`) and returns what moves the entries. */
  moved(move: (first: number) => number): (first: number) => number
  /** How many blocks they have. */
  readonly blocks: number
}

/** None yet. */
export function createRecordings(): Recordings {
  const chains = new Set<Chain>()
  const shared = new Map<number, Chain>() // by their first block

  return {
    add(chain) {
      chains.add(chain)
    },
    share(chain) {
      shared.set(chain.first, chain)
    },
    keepAlone: first => shared.delete(first),
    remove(chain) {
      chains.delete(chain)
      return shared.delete(chain.first)
    },
    moved(move) {
      const before = new Map(shared)
      for (const chain of chains) chain.move(move)
      shared.clear()
      for (const chain of before.values()) shared.set(chain.first, chain)
      return first => before.get(first)?.first ?? move(first)
    },
    get blocks() {
      let blocks = 0
      for (const chain of chains) blocks += chain.blocks
      return blocks
    },
  }
}
