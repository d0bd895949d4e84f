import type { Store } from 'gatehouse'

/**
 * Counters that instances share and that only grow, so that no value ever comes again. A store that has lost its Redis
 * counts by itself, or throws: what it says then is worth nothing.
 */
export interface Counters {
  /** Its value; undefined when that cannot be known. One that is below what it has been was lost, and is raised first. */
  read(name: string, atLeast: number): Promise<number | undefined>
  /** Gives it a value that nobody has seen. False when that did not work, or nobody knows. */
  raise(name: string): Promise<boolean>
}

/**
 * A counter begins with the clock in milliseconds, and a raise is a part of one: whoever begins it anew is beyond all that
 * was. It is not always the same part, because a Redis that forgot a raise would come to the same value with the next.
 */
const parts = 256
const somePart = () => Math.ceil(Math.random() * parts) / parts

/** `onLost` is called for one that was not there, or was lost, before its new value is given. */
export function createCounters(store: Store, now: () => number, onLost: (name: string) => Promise<unknown>): Counters {
  const count = async (name: string, amount: number) => {
    try {
      const value = await store.add(`cache:${name}`, amount)
      return store.state === 'up' && Number.isFinite(value) ? value : undefined
    } catch {
      return undefined
    }
  }
  return {
    async read(name, atLeast) {
      const value = await count(name, 0)
      if (value === undefined || value >= atLeast) return value
      // to where it has never been: by the clock, because nobody may be left who knows
      const raised = await count(name, Math.max(atLeast, now()) + 1 - value)
      if (raised !== undefined) await onLost(name)
      return raised
    },
    raise: async name => (await count(name, somePart())) !== undefined,
  }
}
