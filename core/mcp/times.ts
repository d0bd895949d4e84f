/** How long what may take, and how long to wait. The config has the rest. */
export interface McpTimes {
  /** The pause after the first try that failed, and the shortest between two tries; each further pause is twice as long. */
  readonly firstPauseMs: number
  readonly longestPauseMs: number
  /** A server that was there for so long begins again with the first pause. */
  readonly steadyMs: number
  /** For requests to a server whose config has changed. */
  readonly drainMs: number
  /** For a server to end by itself. */
  readonly graceMs: number
  /** The shortest time between two looks at a list that its server says has changed. */
  readonly listGapMs: number
}

export const usualMcpTimes: McpTimes = {
  firstPauseMs: 1_000,
  longestPauseMs: 30_000,
  steadyMs: 60_000,
  drainMs: 5_000,
  graceMs: 2_000,
  listGapMs: 250,
}
