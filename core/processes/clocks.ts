/** What time it is, and what time has passed: two questions, for somebody may set the clock of a machine. */
export interface Clocks {
  /** Milliseconds since the epoch, for those who look on. It may be set back or forth at any moment. */
  readonly now: () => number
  /** Milliseconds since anything; it only goes forward. What is decided is decided by this one. */
  readonly steady: () => number
}

/** Those of the machine. */
export const machineClocks: Clocks = { now: Date.now, steady: () => performance.now() }
