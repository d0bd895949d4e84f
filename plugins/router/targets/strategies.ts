import type { Strategy as StrategyName } from 'gatehouse'
import type { Strategy } from './candidate.ts'
import { fastest } from './fastest.ts'
import { leastBusy } from './least-busy.ts'
import { sticky } from './sticky.ts'
import { warm } from './warm.ts'
import { weighted } from './weighted.ts'

/** Every strategy that a model may name. */
export const strategies: Readonly<Record<StrategyName, Strategy>> = {
  failover: targets => targets,
  weighted,
  'least-busy': leastBusy,
  fastest,
  warm,
  sticky,
}
