import { unavailable } from '../../stores/redis/unavailable.ts'
import type { Commit, Sync } from './sync.ts'

/** What is to be done, as things stand: nothing, and then this is the result, or a change. */
export type Plan<T> = { readonly result: T } | (Commit & { readonly done: (ids: readonly number[]) => T })

/** Makes a change by a plan, which is made anew when others were quicker. Throws a 503 when nothing can be changed now. */
export type Change = <T>(plan: () => Plan<T>) => Promise<T>

/** Somebody else was quicker each time: only somebody who changes things all the time. */
const mostAttempts = 100

/** One change of this instance at a time, in the order in which they were asked for: they would only be in each other's way. */
export function createChange(sync: Sync): Change {
  let last: Promise<unknown> = Promise.resolve()

  const make = async <T>(plan: () => Plan<T>): Promise<T> => {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const planned = plan()
      if ('result' in planned) {
        if (!(await sync.check())) return planned.result
        continue
      }
      const ids = await sync.commit(planned)
      if (ids) return planned.done(ids)
    }
    throw unavailable()
  }
  return plan => {
    const mine = last.then(() => make(plan))
    last = mine.catch(() => {})
    return mine
  }
}
