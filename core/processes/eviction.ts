import { leastRecent } from './eviction-choice.ts'
import { type Room, roomFor, whyNever } from './eviction-room.ts'

/** A process that has memory and counts, or will have and count soon. */
export interface RunningModel {
  readonly model: string
  readonly state: 'starting' | 'ready' | 'stopping'
  /** Milliseconds since the epoch. */
  readonly lastUsedAt: number
  readonly inFlight: number
  readonly pinned: boolean
  readonly group?: string | undefined
  /** In bytes; 0 when nothing is known of it. */
  readonly footprint: number
}

/** A model that somebody waits for. */
export interface WantedModel {
  readonly model: string
  readonly group?: string | undefined
  readonly footprint: number
}

/** How much may run at once. */
export interface EvictionLimits {
  readonly maxLoadedModels: number
  /** Left out, memory does not count. */
  readonly memoryLimit?: number | undefined
  /** The groups of the config; one that is not there has no rules. */
  readonly groups?: Readonly<Record<string, GroupRules>>
}

/** What the models of a group have in common. */
export interface GroupRules {
  /** They never run together. */
  readonly exclusive: boolean
  /** They do not go for models outside of the group. */
  readonly persistent: boolean
}

/** What must happen before a model may start. */
export type EvictionPlan =
  /** Stop these and ask again; when there are none, it may start now. */
  | { readonly evict: readonly string[] }
  /** Ask again when something has changed: these must first end what they are doing, all of them. */
  | { readonly wait: readonly string[] }
  /** Not while those run that may not be evicted, or not at all; a sentence with the numbers, to be read behind the model's name. */
  | { readonly never: string; readonly blockedBy: readonly string[] }

/**
 * Decides who goes so that `wanted` can start. Pure: it looks at nothing else, and the same question has the same answer.
 *
 * - Who is busy, starting, stopping or pinned is never stopped; nor who is in a persistent group, for one from outside.
 * - Others of an exclusive group must go, all of them. For the rest, those who were not used for the longest time: the most
 *   recently used one of them is as old as possible, of such sets the one with the fewest, of these the oldest. Nobody goes
 *   who need not.
 * - What has room once those are gone who are stopping already waits for that alone.
 * - `wait` is only said when it helps: once everybody named has ended what he is doing, the answer is another one. And so
 *   `never` is said at once, when it would not help even if all requests ended.
 */
export function planEviction(wanted: WantedModel, running: readonly RunningModel[], limits: EvictionLimits): EvictionPlan {
  const others = running.filter(({ model }) => model !== wanted.model)
  const own = running.filter(({ model }) => model === wanted.model)
  const staying = others.filter(({ state }) => state !== 'stopping')
  const room = roomFor(wanted, limits)
  const mayGo = (other: RunningModel) => isEvictable(other, wanted, limits)

  const possible = staying.filter(mayGo)
  const all = chosen(room, staying, possible)
  if (!all)
    return whyNever(
      wanted,
      staying.filter(other => !mayGo(other)),
      limits,
    )
  // it is there still or already: then it is not for us to make room
  if (own.length > 0) return { wait: own.map(({ model }) => model) }

  const now = chosen(room, staying, possible.filter(isIdle))
  if (now && now.length > 0) return { evict: now.map(({ model }) => model) }
  if (!now) return { wait: all.filter(other => !isIdle(other)).map(({ model }) => model) }
  // it fits beside those who stay; those who are going may still have the room
  return chosen(room, others, []) ? { evict: [] } : { wait: others.filter(({ state }) => state === 'stopping').map(({ model }) => model) }
}

const isIdle = ({ state, inFlight }: RunningModel) => state === 'ready' && inFlight === 0

function isEvictable({ pinned, group }: RunningModel, wanted: WantedModel, { groups = {} }: EvictionLimits): boolean {
  const rules = group === undefined ? undefined : groups[group]
  return !pinned && (!rules?.persistent || group === wanted.group)
}

/** Who of the candidates goes so that there is room beside the others; undefined when there is none even without all of them. */
function chosen(room: Room, there: readonly RunningModel[], candidates: readonly RunningModel[]): readonly RunningModel[] | undefined {
  const must = there.filter(room.excludes)
  if (must.some(other => !candidates.includes(other))) return undefined
  const rest = there.filter(other => !must.includes(other))
  const more = leastRecent(
    candidates.filter(other => !must.includes(other)),
    going => room.fits(rest.filter(other => !going.includes(other))),
  )
  return more && [...must, ...more]
}
