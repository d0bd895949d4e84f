import { seededRandom } from '../../core/testing/random.ts'

/** How requests are spread: evenly, or as independent people send them (exponential gaps of the same mean). */
export const arrivals = ['constant', 'poisson'] as const
export type Arrivals = (typeof arrivals)[number]

/** What an open loop sends, whatever the answers do. */
export interface ScheduleOrder {
  readonly ratePerSecond: number
  readonly arrivals: Arrivals
  /** The same seed, the same schedule. */
  readonly seed: number
}

/** Gives one departure after the other, in milliseconds after the start. */
export function createSchedule({ ratePerSecond, arrivals, seed }: ScheduleOrder): () => number {
  const gapMs = 1000 / ratePerSecond
  let count = 0
  // counted, not summed: a million gaps added up drift
  if (arrivals === 'constant') return () => count++ * gapMs
  const random = seededRandom(seed)
  let at = 0
  return () => {
    at -= Math.log(1 - random()) * gapMs
    return at
  }
}
