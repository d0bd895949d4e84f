import type { Logger } from '../../log.ts'
import { tellBroken } from './intake.ts'
import type { Place, Taken } from './mirror.ts'

/** What has come of joining so far. */
export interface Joined {
  /** Something is here now, or gone, that was not before. */
  touched: boolean
  /** Rows that Redis was given. */
  given: number
}

/** A row and its name. */
export interface Named extends Place {
  readonly name: string
}

/** What this instance and Redis do not agree on yet. */
export interface Gap {
  /** Rows that Redis lacks, or has older ones of: so many of them. */
  toGive(most: number): readonly Place[]
  /** Redis has them now. */
  given(places: readonly Place[]): void
  /** Rows that are only here. */
  missing(places: readonly Place[]): void
  note(taken: Taken): void
  /** Rows here whose ids are those of others in Redis. */
  readonly strangers: readonly Place[]
  /** Rows that had to go from here, because others have their names in Redis. */
  readonly displaced: readonly Named[]
}

/** Nothing compared yet. */
export function createGap(joined: Joined, log: Logger): Gap {
  const toGive = new Map<string, Place>()
  const displaced: Named[] = []
  const strangers: Place[] = []
  return {
    strangers,
    displaced,
    toGive: most => [...toGive.values().take(most)],
    given(places) {
      joined.given += places.length
      for (const place of places) toGive.delete(nameOf(place))
    },
    missing(places) {
      for (const { kind, id } of places) toGive.set(nameOf({ kind, id }), { kind, id })
    },
    note(taken) {
      if (taken.touched.length > 0) joined.touched = true
      for (const place of taken.touched) toGive.delete(nameOf(place))
      for (const { kind, id } of taken.older) toGive.set(nameOf({ kind, id }), { kind, id })
      displaced.push(...taken.displaced)
      strangers.push(...taken.strangers)
      if (taken.broken.length > 0) tellBroken(taken.broken, log)
    },
  }
}

const nameOf = ({ kind, id }: Place) => `${kind}:${id}`
