import { type Backend, type Config, type Gateway, processBackend, type ResolvedModel, type Target } from 'gatehouse'
import type { Candidate } from './targets/targets.ts'
import type { Capacity } from './traffic.ts'

/** A target of a model that can take a request. */
export interface Place extends Candidate {
  readonly target: Target
  readonly backend: Backend
}

/** The places of a model, and what is known of each by its id, `backend/model`. */
export interface Places {
  of(model: ResolvedModel, operation: string): readonly Place[]
  capacityOf(id: string): Capacity | undefined
}

export const idOf = (model: string): string => `${processBackend}/${model}`

const prefix = idOf('')
/** The model whose process a target is. */
export const processOf = (id: string): string | undefined => (id.startsWith(prefix) ? id.slice(prefix.length) : undefined)

/** Names of models may come from clients, when a wildcard has targets with slots. */
const mostStated = 4096

/** The places of a config. */
export function createPlaces({ backends }: Pick<Gateway, 'backends'>, models: Config['models']): Places {
  /** What targets say of themselves, where they do. */
  const stated = new Map<string, Capacity>()
  const state = ({ backend, model, slots }: Target) => {
    if (slots === undefined) return
    if (stated.size >= mostStated) stated.clear()
    stated.set(`${backend}/${model}`, { slots })
  }
  for (const { targets } of models) {
    for (const { backend, model, slots } of targets) {
      if (model !== undefined && !model.includes('*')) state({ backend, model, weight: 1, set: {}, strip: [], ...(slots && { slots }) })
    }
  }
  const capacityOf = (id: string): Capacity | undefined => {
    const own = stated.get(id)
    if (own) return own
    const slash = id.indexOf('/')
    return backends.get(id.slice(0, slash))?.slotsOf?.(id.slice(slash + 1))
  }
  return {
    capacityOf,
    of: ({ targets }, operation) =>
      targets.flatMap((target): Place[] => {
        const backend = backends.get(target.backend)
        if (!backend?.speaks(operation)) return []
        state(target)
        const id = `${target.backend}/${target.model}`
        const slots = capacityOf(id)?.slots
        return [{ id, weight: target.weight, target, backend, ...(slots !== undefined && { slots }) }]
      }),
  }
}
