/** How long places are taken, and so how long it takes until one is free. */
export interface Pace {
  /** A place was taken for so long. */
  took(ms: number): void
  /** When the request at this position (the next one is 1) would get a place, or undefined when too few have ended to tell. */
  waitMs(position: number, slots: number): number | undefined
}

/** Estimates before that many requests are not to be relied on. */
const fewest = 8
/** The mean follows the last 16 or so. */
const newestShare = 1 / 16

/** A mean that forgets. */
export function createPace(): Pace {
  let count = 0
  let mean = 0
  return {
    took(ms) {
      count++
      mean += (ms - mean) * Math.max(1 / count, newestShare)
    },
    waitMs: (position, slots) => (count < fewest ? undefined : (position * mean) / slots),
  }
}
