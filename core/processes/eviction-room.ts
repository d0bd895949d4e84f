import type { EvictionLimits, EvictionPlan, RunningModel, WantedModel } from './eviction.ts'

/** What a wanted model asks of those that run beside it. */
export interface Room {
  /** It never runs beside this one. */
  excludes(other: RunningModel): boolean
  /** It has room beside these. */
  fits(others: readonly RunningModel[]): boolean
}

/** The room that a model needs. */
export function roomFor({ group, footprint }: WantedModel, { maxLoadedModels, memoryLimit, groups = {} }: EvictionLimits): Room {
  const alone = group !== undefined && groups[group]?.exclusive
  return {
    excludes: other => alone === true && other.group === group,
    fits: others => others.length < maxLoadedModels && (memoryLimit === undefined || bytesOf(others) + footprint <= memoryLimit),
  }
}

/** Why there is never room beside those that stay. */
export function whyNever(
  wanted: WantedModel,
  fixed: readonly RunningModel[],
  limits: EvictionLimits,
): Extract<EvictionPlan, { readonly never: string }> {
  const { maxLoadedModels, memoryLimit = Number.POSITIVE_INFINITY } = limits
  const names = (models: readonly RunningModel[]) => models.map(({ model }) => model)
  const excluded = fixed.filter(roomFor(wanted, limits).excludes)
  const needs = `needs ${amount(wanted.footprint)} of memory, and memory_limit is ${amount(memoryLimit)}`
  if (wanted.footprint > memoryLimit) return { never: needs, blockedBy: [] }
  if (excluded.length > 0) {
    return {
      never: `must not run beside another model of the exclusive group ${wanted.group}, which is pinned`,
      blockedBy: names(excluded),
    }
  }
  const kept = fixed.length === 1 ? 'a model that is' : `${fixed.length} models that are`
  if (fixed.length >= maxLoadedModels) {
    return { never: `has no place: max_loaded_models is ${maxLoadedModels}, and ${kept} not unloaded for others`, blockedBy: names(fixed) }
  }
  return { never: `${needs}, of which ${amount(bytesOf(fixed))} are held by ${kept} not unloaded for others`, blockedBy: names(fixed) }
}

const bytesOf = (models: readonly RunningModel[]) => models.reduce((total, { footprint }) => total + footprint, 0)

const amount = (bytes: number) =>
  bytes < 1024 ** 3 ? `${Math.round(bytes / 1024 ** 2)} MiB` : `${Math.round(bytes / (1024 ** 3 / 10)) / 10} GiB`
