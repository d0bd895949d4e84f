import { byLowest, type Candidate, type Facts } from './candidate.ts'
import { weighted } from './weighted.ts'

/**
 * The one that would be filled least if it got this request: its requests, divided by weight and slots. Slots only count
 * when all of them are known. Among equals the weights decide by lot, so that not all begin with the first.
 */
export function leastBusy<T extends Candidate>(targets: readonly T[], facts: Pick<Facts, 'load' | 'random'>): readonly T[] {
  const known = targets.every(({ slots }) => slots !== undefined)
  return byLowest(weighted(targets, facts), ({ id, weight, slots = 1 }) => (facts.load(id) + 1) / (weight * (known ? slots : 1)))
}
