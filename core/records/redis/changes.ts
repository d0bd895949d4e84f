import { unavailable } from '../../stores/redis/unavailable.ts'
import type { AuditEntry } from '../audit.ts'
import type { Mirror } from './mirror.ts'
import type { Sync } from './sync.ts'
import type { Write } from './talk.ts'

/** A change to be made in Redis, on top of all that is known. */
export interface Commit {
  readonly change: string
  readonly writes: readonly Write[]
  /** For the audit of this instance. */
  readonly entries: readonly AuditEntry[]
}

/** What is to be done, as things stand: nothing, and then this is the result, or a change. */
export type Plan<T> = { readonly result: T } | (Commit & { readonly done: (ids: readonly number[]) => T })

/** Makes a change by a plan, which is made anew when others were quicker. Throws a 503 when nothing can be changed now. */
export type Change = <T>(plan: () => Plan<T>) => Promise<T>

/** Somebody else was quicker each time: only somebody who changes things all the time. */
const mostAttempts = 1000

/** One change of this instance at a time, in the order in which they were asked for: they would only be in each other's way. */
export function createChange(sync: Sync, mirror: Pick<Mirror, 'position'>): Change {
  let last: Promise<unknown> = Promise.resolve()

  const make = async <T>(plan: () => Plan<T>): Promise<T> => {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      await sync.ready()
      const since = mirror.position
      const planned = plan()
      if ('done' in planned) {
        const ids = await sync.commit(planned) // sent in this very moment: nothing has changed since it was planned
        if (ids) return planned.done(ids)
      } else {
        await sync.pull()
        if (mirror.position === since) return planned.result
      }
    }
    throw unavailable()
  }
  return plan => {
    const mine = last.then(() => make(plan))
    last = mine.catch(() => {})
    return mine
  }
}
