import type { Affinity } from './affinity.ts'

/** A target, as strategies see it. */
export interface Candidate {
  /** The same for the same target always, for example `backend/model`. */
  readonly id: string
  /** Share of the requests; with 0 it is only there for when no other is left. */
  readonly weight: number
  /** Requests it takes at a time, where that is known. */
  readonly slots?: number
}

/** How near a target is to answering: its model is in memory, is being loaded, or would have to be. */
export type Warmth = 'loaded' | 'loading' | 'cold'

/** What strategies go by. */
export interface Facts {
  /** Requests it has, those that wait for it included. */
  load(id: string): number
  /** The usual time to its first token; undefined when nobody knows. */
  firstTokenMs(id: string): number | undefined
  warmth(id: string): Warmth
  /** How often others were preferred to it since it was last tried; Infinity for one that never was. */
  passedOver(id: string): number
  /** The target that has seen most of what this request begins with. */
  remembered(affinity: Affinity): string | undefined
  random(): number
}

/** Orders targets, the best one first. All that come in come out. */
export type Strategy = <T extends Candidate>(targets: readonly T[], facts: Facts, affinity: Affinity | undefined) => readonly T[]

/** Sorts by a number, the lowest first; those that are equal stay as they were. */
export const byLowest = <T>(targets: readonly T[], numberOf: (target: T) => number): readonly T[] =>
  targets
    .map(target => ({ target, number: numberOf(target) }))
    .toSorted((a, b) => (a.number === b.number ? 0 : a.number - b.number))
    .map(({ target }) => target)
