import { type EvictionLimits, planEviction, type RunningModel } from './eviction.ts'

/** A process as the supervisor sees it. */
export interface SupervisedModel extends Pick<RunningModel, 'model' | 'state' | 'lastUsedAt' | 'inFlight'> {
  /** What it holds now, as far as it was measured. */
  readonly memoryBytes: number | undefined
}

/** What the config and experience say of a model. */
export interface ModelRules {
  readonly pinned: boolean
  readonly group?: string | undefined
  /** What it will hold; 0 when nobody knows. */
  readonly footprint: number
}

/** Stop these first (none: start now), wait until something changes, or it will never fit, and why. */
export type EvictionVerdict = { readonly evict: readonly string[] } | { readonly wait: true } | { readonly never: string }

/** `planEviction` as the supervisor asks it. One that holds more than was expected of it counts with that. */
export function evictionPolicy(limits: EvictionLimits, rulesOf: (model: string) => ModelRules) {
  return (wanted: string, running: readonly SupervisedModel[]): EvictionVerdict => {
    const { group, footprint } = rulesOf(wanted)
    const others = running.map(({ memoryBytes = 0, ...process }) => {
      const rules = rulesOf(process.model)
      return { ...process, ...rules, footprint: Math.max(memoryBytes, rules.footprint) }
    })
    const plan = planEviction({ model: wanted, group, footprint }, others, limits)
    if ('wait' in plan) return { wait: true }
    return 'never' in plan ? { never: plan.never } : plan
  }
}
