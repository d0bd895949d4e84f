import type { Affinity } from './affinity.ts'
import { byLowest, type Candidate, type Facts } from './candidate.ts'
import { leastBusy } from './least-busy.ts'
import { rendezvous } from './rendezvous.ts'

/** How far above its share of all requests a target may be until it counts as busy, where its slots are not known. */
const spread = 1.5

/**
 * The target that has seen most of the prompt; for one that nobody has seen, the one its hash belongs to. Those that are busy
 * come after the others, because waiting costs more than reading a prompt again. Requests that have nothing to go by go where
 * there is most room.
 */
export function sticky<T extends Candidate>(targets: readonly T[], facts: Facts, affinity: Affinity | undefined): readonly T[] {
  const home = affinity?.hashes[affinity.home]
  if (!affinity || home === undefined) return leastBusy(targets, facts)
  const known = facts.remembered(affinity)
  const placed = rendezvous(targets, home)
  const order = byLowest(placed, ({ id }) => (id === known ? 0 : 1))
  const isBusy = busyAmong(targets, facts)
  return byLowest(order, target => (target.weight > 0 ? Number(isBusy(target)) : 2))
}

/** With bounded loads (Mirrokni, Thorup, Zadimoghaddam 2018): no target is more than so far above its share of all requests. */
function busyAmong(targets: readonly Candidate[], { load }: Facts): (target: Candidate) => boolean {
  const requests = 1 + targets.reduce((sum, { id }) => sum + load(id), 0)
  const weights = targets.reduce((sum, { weight }) => sum + weight, 0)
  return ({ id, weight, slots }) => load(id) + 1 > (slots ?? Math.ceil((spread * requests * weight) / weights))
}
