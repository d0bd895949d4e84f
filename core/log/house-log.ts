import type { Logger } from 'pino'

/** What of the log may change while it runs. */
export interface LogSettings {
  readonly debug: boolean
  /** A file that gets every line, too. An absolute path. */
  readonly file?: string | undefined
  /** How stdout looks: `auto` is for people on a terminal and JSON anywhere else. The file is always JSON. */
  readonly format?: 'auto' | 'json' | 'text'
  /** What must not stand in any line, whoever writes it: the secrets of the config. */
  readonly secrets?: readonly string[]
}

/** The house's log, and its end. */
export type HouseLog = Logger & {
  /** Writes the line of one request. The same JSON as `info`, at a third of its price: there is one per request. */
  access(line: AccessLine): void
  /**
   * Takes other settings from now on, without losing a line. A file that cannot be opened is told of, and the
   * one before kept. Loggers made with `child` keep the level they were made with.
   */
  configure(settings: LogSettings): Promise<void>
  /** A text without the secrets that must not stand in any line. */
  clear(text: string): string
  /** Opens the file anew, after somebody moved it away. False when there is none; rejects when it cannot be opened. */
  reopen(): Promise<boolean>
  /** Writes what is left, for as long as that is worth waiting for, and lets go of the file. */
  end(): Promise<void>
  /** Lets go of the file at once; what is not written is lost. */
  abandon(): void
}

/** What the log knows of a request. */
export interface AccessLine {
  readonly request_id: string
  readonly method: string
  /** Without the query: people put keys there. */
  readonly path: string
  readonly status: number
  /** Milliseconds; LlamaGate's code wrote the one name, its documents the other. */
  readonly latency: number
  readonly latency_ms: number
  readonly ip: string
  readonly model?: string | undefined
  readonly key_id?: string | undefined
}

/** The message of every access line. */
export const accessMessage = 'HTTP request'
