import type { Rival } from '../house/rival.ts'
import type { Arrivals } from '../load/schedule.ts'
import type { Figure } from './figure.ts'
import type { Table } from './table.ts'

/** One part of the benchmark. */
export interface Part {
  readonly name: string
  run(setting: Setting): Promise<Outcome>
}

/** What every part is given. */
export interface Setting {
  /** The compiled gatehouse. */
  readonly binary: string
  readonly nginx: string | undefined
  readonly length: Length
  /** Where the upstream listens that rivals forward to; 0 for any port. */
  readonly upstreamPort: number
  /** What else takes part in the comparison. */
  readonly rivals: readonly Rival[]
  /** How the open loop spreads its requests. */
  readonly arrivals: Arrivals
}

/** `short` only shows that everything works, `long` is the soak: minutes instead of seconds. */
export type Length = 'short' | 'usual' | 'long'

/** What a part found. */
export interface Outcome {
  /** For people, and for README.md. */
  readonly tables: readonly Table[]
  /** Lines below the tables. */
  readonly notes?: readonly string[]
  /** For results.json. */
  readonly figures: Readonly<Record<string, Figure>>
  readonly targets: readonly Target[]
}

/** A figure and what it has to be. */
export interface Target {
  readonly what: string
  readonly met: boolean
}
