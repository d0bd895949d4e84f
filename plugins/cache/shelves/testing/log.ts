import type { Logger } from 'gatehouse'

/** One line of a log. */
export interface LogLine {
  readonly level: string
  readonly message: string
  readonly reason?: string
  readonly code?: string
}

/** A log that is kept, for tests. */
export function keepLog(): { readonly log: Logger; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: string) => (facts: object, message: string) => void lines.push({ ...facts, level, message })
  return { log: { info: at('info'), warn: at('warn'), error: at('error'), debug: at('debug') } as unknown as Logger, lines }
}
