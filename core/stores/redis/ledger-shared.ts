import type { Change } from '../../records/ledger/entry.ts'
import type { Window } from '../../records/ledger/periods.ts'

/** A window of a key as Redis has it. */
export interface Shared {
  /** The key in Redis. */
  readonly at: string
  readonly keyId: number
  readonly window: Window
  /** Of what was sent last. Redis takes a step only right after the one before it, so that nothing it lost goes unnoticed. */
  version: number
  /** Of what was told last: what was sent before that has no effect any more. 0 when nothing was. */
  told: number
  /** Redis may not know how things stand, so that is what it must hear next. */
  behind: boolean
  /** What has happened here and was not sent yet. */
  unsent: Change
  /** What was sent and not answered. */
  waiting: number
}

export const noChange: Change = { used: 0, tokens: 0, estimate: 0 }

export const addChanges = (one: Change, other: Change): Change => ({
  used: one.used + other.used,
  tokens: one.tokens + other.tokens,
  estimate: one.estimate + other.estimate,
})

/** What is used and open in all, and of that by this instance. */
export interface Total {
  readonly used: number
  readonly open: number
  readonly ownUsed: number
  readonly ownOpen: number
}

/** Those that are in use, by their key in Redis. */
export interface SharedWindows {
  of(keyId: number, window: Window): Shared
  /** Lets go of those that nobody needs. */
  prune(needed: (shared: Shared) => boolean): void
  [Symbol.iterator](): Iterator<Shared>
}

/** None yet. `firstVersion` is more than any that was used for one before. */
export function createSharedWindows(firstVersion: number): SharedWindows {
  const known = new Map<string, Shared>()
  let highest = firstVersion
  return {
    of(keyId, window) {
      const { period, first } = window
      const at = `gatehouse:ledger:${keyId}:${period === 'total' ? period : `${period}:${first}`}`
      const found = known.get(at)
      if (found) return found
      const fresh: Shared = { at, keyId, window, version: highest, told: 0, behind: true, unsent: noChange, waiting: 0 }
      known.set(at, fresh)
      return fresh
    },
    prune(needed) {
      for (const [at, shared] of known) {
        if (shared.waiting > 0 || shared.unsent !== noChange || needed(shared)) continue
        highest = Math.max(highest, shared.version)
        known.delete(at)
      }
    },
    [Symbol.iterator]: () => known.values(),
  }
}
