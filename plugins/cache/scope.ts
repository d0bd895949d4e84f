import type { Config, Principal } from 'gatehouse'

/** Who may have whose answers: only one caller, or everybody. */
type Sharing = 'key' | 'all'

/** What the config says of a model; `auto` leaves it to the caller. */
export type ModelScope = Sharing | 'off' | 'auto'

/** For each configured model: its own word, or else the common one. */
export function createModelScopes({ cache, models }: Pick<Config, 'cache' | 'models'>): (name: string) => ModelScope {
  const own = new Map(models.flatMap(({ name, cache_scope: scope }) => (scope ? [[name, scope] as const] : [])))
  return name => own.get(name) ?? cache.scope
}

/**
 * The circle of those who may have each other's answers, undefined when none may be kept. The narrowest word counts:
 * `off` before `key` before `all`. Where nobody says anything, managed keys have answers of their own.
 */
export function scopeOf({ kind, id, cacheScope }: Principal, model: ModelScope): string | undefined {
  if (model === 'off' || cacheScope === 'off') return
  const narrow = model === 'key' || cacheScope === 'key'
  const silent = model === 'auto' && cacheScope === undefined
  return narrow || (silent && kind === 'key') ? `${kind}:${id}` : 'all'
}
