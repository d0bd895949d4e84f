/** Asked in a long loop: a promise to await when all others have waited long enough, and otherwise nothing. */
export type Breathe = () => Promise<void> | undefined

/**
 * Measured with 2048 vectors of 1024 numbers (41 MB of text): 40 ms of work to cut it, as much to put it together, and a
 * longest turn of 3 to 7 ms (medians of 12 runs, the more the busier the machine).
 */
const longestTurnMs = 3

/** For one piece of work that is large. Its first turn begins now. */
export function breather(now = () => performance.now()): Breathe {
  let since = now()
  return () => {
    if (now() - since < longestTurnMs) return
    return new Promise(resolve =>
      setImmediate(() => {
        since = now()
        resolve()
      }),
    )
  }
}
