import { modelgate } from './modelgate.ts'
import { listRules } from './rules.ts'

/** ModelGate's variables: `MG_` and the path of a key in its file. */
export const modelgateNames: ReadonlyMap<string, ReturnType<typeof listRules>[number]> = new Map(
  listRules(modelgate.rules).map(rule => [`MG_${rule.path.join('_').toUpperCase()}`, rule]),
)
