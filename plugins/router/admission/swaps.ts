/** Where the process of a model is: it takes requests, it is on its way, or it would have to be started. */
export type Readiness = 'ready' | 'starting' | 'stopped'

/** How long requests for models that run may go before one that would have to be started. */
export interface SwapBound {
  /** So many of them. */
  readonly mostAhead: number
  /** Or for so long. */
  readonly longestMs: number
}

export interface SwapsOptions {
  readonly bound: SwapBound
  readonly readinessOf: (model: string) => Readiness
  /** Who must come to rest so that this model can start; none when there is room. */
  readonly blockersOf: (model: string) => readonly string[]
  /** Whether somebody still waits for this model or has a place at it. */
  readonly isWanted: (model: string) => boolean
  readonly now: () => number
}

/** The line of models that are to be started and need the room of others. */
export interface Swaps {
  /** A request got its place at this model. */
  granted(model: string): void
  /** Whether requests for this model have to wait, so that another one can take its room. */
  holds(model: string): boolean
  /** Looks who has had its turn. Names those who may go on, and those who have to wait from now on, if any. */
  look(): { readonly freed: readonly string[]; readonly held: readonly string[] } | undefined
}

interface Swap {
  readonly model: string
  /** Since when it is its turn. */
  since: number | undefined
  passed: number
  /** Whose room it would have taken at one time or another. */
  readonly named: Set<string>
  /** Who gets no more requests until it has started. */
  readonly held: Set<string>
}

const nobody: readonly string[] = []

/**
 * One after the other: while a model waits for its turn, nothing counts, so that the one before it has its time when it has
 * just been started. Who was named counts, and who is held stays held until the start, even if the policy would now rather
 * have another one go: otherwise two busy models could take turns at being the one to go, and neither would come to rest.
 */
export function createSwaps({ bound, readinessOf, blockersOf, isWanted, now }: SwapsOptions): Swaps {
  const line = new Map<string, Swap>()

  const others = (model: string) => blockersOf(model).filter(other => other !== model) // its own process may be on its way out
  /** The first that waits for others. */
  const first = (): Swap | undefined => {
    for (const swap of line.values()) if (swap.held.size > 0 || others(swap.model).length > 0) return swap
  }
  const isOver = ({ passed, since }: Swap) => passed >= bound.mostAhead || (since !== undefined && now() - since >= bound.longestMs)

  const name = (swap: Swap): readonly string[] => {
    const blockers = others(swap.model)
    for (const model of blockers) swap.named.add(model)
    return blockers
  }
  const holdMore = (swap: Swap): readonly string[] => {
    const more = name(swap).filter(model => !swap.held.has(model))
    for (const model of more) swap.held.add(model)
    return more
  }

  return {
    granted(model) {
      if (!line.has(model) && readinessOf(model) === 'stopped') {
        line.set(model, { model, since: undefined, passed: 0, named: new Set(), held: new Set() })
      }
      const swap = first()
      if (!swap) return
      name(swap)
      if (swap.named.has(model)) swap.passed++
    },
    holds(model) {
      if (line.size === 0) return false
      for (const { held } of line.values()) if (held.has(model)) return true
      return false
    },
    look() {
      if (line.size === 0) return
      const freed: string[] = []
      for (const { model, held } of line.values()) {
        if (readinessOf(model) === 'stopped' && isWanted(model)) continue
        line.delete(model)
        freed.push(...held)
      }
      const swap = first()
      if (swap) swap.since ??= now()
      const held = swap && isOver(swap) ? holdMore(swap) : nobody
      return freed.length + held.length > 0 ? { freed, held } : undefined
    },
  }
}
