import { byLowest, type Candidate } from './candidate.ts'

/**
 * The order of targets for a hash: the same in every instance and after every restart, each target first for its share of
 * all hashes. When one goes away, only the hashes it had move, each to the next in its order (weighted rendezvous hashing,
 * Schindelhauer and Schomaker 2005).
 */
export const rendezvous = <T extends Candidate>(targets: readonly T[], hash: bigint): readonly T[] =>
  byLowest(targets, ({ id, weight }) => (weight > 0 ? -Math.log(chance(id, hash)) / weight : Number.POSITIVE_INFINITY))

/** Between 0 and 1, and neither of them. */
const chance = (id: string, hash: bigint): number => (Number(BigInt.asUintN(52, Bun.hash.xxHash64(id, hash))) + 0.5) / 2 ** 52
