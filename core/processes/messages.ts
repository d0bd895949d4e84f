/** What the house tells the shim, once, right after it was started. */
export interface Order {
  /** All the program gets. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** How long the program may take to end when the house is gone. */
  readonly graceMs: number
  /** A command that makes the program end, tried before any signal. */
  readonly stop?: readonly string[]
  /** The program is spoken to: it gets the shim's stdin and stdout, and the shim lets go of them. */
  readonly speaks?: boolean
}

/** The house wants the program to end. */
export interface Stop {
  readonly stopMs: number
}

/**
 * What the shim tells the house: the program runs, or could not be started; it has ended; and it is gone, with all that it has
 * started.
 */
export type Report = { readonly pid: number } | { readonly error: string } | { readonly ended: ChildExit } | { readonly gone: true }

/** How a program ended: one of the two. */
export interface ChildExit {
  readonly code: number | null
  readonly signal: string | null
}
