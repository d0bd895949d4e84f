import type { Flow, Rank } from './flow.ts'

/** The ranks of the keys that are known. */
export interface Ranks<Item> {
  /** A new key has this weight. */
  join(weight: number): Rank
  /** A key has another weight now. */
  move(flow: Flow<Item>, weight: number): void
  /** A key is not known any more. */
  leave(rank: Rank): void
  clear(): void
  readonly size: number
}

/** No keys. */
export function createRanks<Item>(): Ranks<Item> {
  const ranks = new Map<number, Rank>()
  const join = (weight: number): Rank => {
    let rank = ranks.get(weight)
    if (!rank) {
      rank = { weight, keys: 0, floor: Number.NEGATIVE_INFINITY }
      ranks.set(weight, rank)
    }
    rank.keys++
    return rank
  }
  const leave = (rank: Rank) => {
    rank.keys--
    if (rank.keys === 0) ranks.delete(rank.weight)
  }
  return {
    join,
    move(flow, weight) {
      const before = flow.rank
      flow.rank = join(weight)
      leave(before)
    },
    leave,
    clear: () => ranks.clear(),
    get size() {
      return ranks.size
    },
  }
}

/**
 * Where a key begins that comes in now, when the last one drawn of all ranks began at `floor`. A rank may be ahead of the others,
 * because requests of it went for their age; then so is who comes into it.
 */
export const floorIn = (rank: Rank, floor: number): number => Math.max(rank.floor, floor)
