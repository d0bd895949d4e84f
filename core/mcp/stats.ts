import type { McpStats } from './types.ts'

/** Counts what is asked of one server. */
export interface StatsKeeper {
  /** A request has begun; call what it gives back when it is over. */
  begin(): (failed: boolean) => void
  read(): Omit<McpStats, 'pool'>
}

export function createStats(steady: () => number): StatsKeeper {
  let calls = 0
  let errors = 0
  let active = 0
  let totalMs = 0
  let lastMs = 0
  let longestMs = 0
  return {
    begin() {
      const begun = steady()
      calls++
      active++
      return failed => {
        active--
        if (failed) errors++
        lastMs = steady() - begun
        totalMs += lastMs
        longestMs = Math.max(longestMs, lastMs)
      }
    },
    read: () => ({
      calls,
      errors,
      active,
      latency: { averageMs: calls === active ? 0 : totalMs / (calls - active), lastMs, longestMs },
    }),
  }
}
