import { byLowest, type Candidate, type Facts, type Warmth } from './candidate.ts'

const rank: Readonly<Record<Warmth, number>> = { loaded: 0, loading: 1, cold: 2 }

/** Those whose model is in memory, then those that load it, then the others; among equals as they are configured. */
export const warm = <T extends Candidate>(targets: readonly T[], { warmth }: Pick<Facts, 'warmth'>): readonly T[] =>
  byLowest(targets, ({ id, weight }) => (weight > 0 ? rank[warmth(id)] : Number.POSITIVE_INFINITY))
