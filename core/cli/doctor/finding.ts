/** How one thing stands. A warning does not keep gatehouse from working, a problem does. */
export type Status = 'ok' | 'warning' | 'problem'

/** One thing the doctor looked at, in a line, and how to put it right. */
export interface Finding {
  readonly status: Status
  readonly message: string
  readonly fix?: string
}

/** A finding with the name of its check. */
export interface NamedFinding extends Finding {
  readonly name: string
}

/** One concern the doctor looks into. Nothing found means there is nothing to say of it. */
export interface Check {
  readonly name: string
  look(signal: AbortSignal): Promise<readonly Finding[]> | readonly Finding[]
}

/** All is well. */
export const ok = (message: string): Finding => ({ status: 'ok', message })

/** Something to know. */
export const warning = (message: string, fix?: string): Finding => ({ status: 'warning', message, ...(fix !== undefined && { fix }) })

/** Something that is wrong. */
export const problem = (message: string, fix?: string): Finding => ({ status: 'problem', message, ...(fix !== undefined && { fix }) })
