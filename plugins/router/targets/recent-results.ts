/** How requests have ended lately. */
export interface RecentResults {
  /** Negative amounts take back what was counted before. */
  count(answered: number, failed: number): void
  sums(): { readonly requests: number; readonly failed: number }
  clear(): void
}

/** A result is forgotten when the tenth of the window has gone by that it was in. */
const parts = 10

/** Counts in a window that moves with time, in ten parts. */
export function createRecentResults(windowMs: number, now: () => number): RecentResults {
  const answered = new Array<number>(parts).fill(0)
  const failed = new Array<number>(parts).fill(0)
  let newest = Number.NEGATIVE_INFINITY

  const clear = () => {
    answered.fill(0)
    failed.fill(0)
  }
  /** Empties the parts that have been passed over since. */
  const moveOn = (): number => {
    const part = Math.floor((now() * parts) / windowMs)
    if (part - newest >= parts) clear()
    else {
      for (let at = newest + 1; at <= part; at++) {
        answered[at % parts] = 0
        failed[at % parts] = 0
      }
    }
    newest = Math.max(newest, part)
    return newest % parts
  }
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)

  return {
    count(moreAnswered, moreFailed) {
      const at = moveOn()
      answered[at] = (answered[at] ?? 0) + moreAnswered
      failed[at] = (failed[at] ?? 0) + moreFailed
    },
    sums() {
      moveOn()
      const failures = Math.max(0, sum(failed))
      return { requests: failures + Math.max(0, sum(answered)), failed: failures }
    },
    clear,
  }
}
