import { byLowest, type Candidate, type Facts } from './candidate.ts'

/**
 * Drawn by weight, one after the other (Efraimidis and Spirakis 2006): the first is this one with a chance of its weight in
 * the sum, the second so among the others, and so on. At random and not in turns: that needs no memory, so instances need not
 * agree and a target that comes back is not owed anything, and bursts of several instances do not all begin at the same one.
 */
export const weighted = <T extends Candidate>(targets: readonly T[], { random }: Pick<Facts, 'random'>): readonly T[] =>
  byLowest(targets, ({ weight }) => (weight > 0 ? -Math.log(1 - random()) / weight : Number.POSITIVE_INFINITY))
