import { byLowest, type Candidate, type Facts } from './candidate.ts'
import { leastBusy } from './least-busy.ts'

/** One request in so many goes to one of the others, to see whether it has become faster. */
export const exploreEvery = 20

/**
 * The shortest usual time to the first token; where nobody knows it, the least busy. One that was never tried goes first,
 * once: the other requests do not wait for what it says. Afterwards each of the others is tried again when it was passed over
 * so often; that is a count and no chance, so nobody is forgotten.
 */
export function fastest<T extends Candidate>(targets: readonly T[], facts: Facts): readonly T[] {
  const usual = ({ id, weight }: T) => (weight > 0 ? facts.firstTokenMs(id) : undefined) ?? Number.POSITIVE_INFINITY
  const order = byLowest(leastBusy(targets, facts), usual)
  const explored = longestPassedOver(order, facts)
  return explored ? [explored, ...order.filter(target => target !== explored)] : order
}

function longestPassedOver<T extends Candidate>([, ...others]: readonly T[], { passedOver }: Facts): T | undefined {
  const candidates = others.filter(({ weight }) => weight > 0)
  const [longest] = byLowest(candidates, ({ id }) => -passedOver(id))
  return longest && passedOver(longest.id) >= exploreEvery * candidates.length ? longest : undefined
}
