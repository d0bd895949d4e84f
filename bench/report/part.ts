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
}

/** `short` only shows that everything works, `long` is the soak: minutes instead of seconds. */
export type Length = 'short' | 'usual' | 'long'

/** What a part found. */
export interface Outcome {
  /** For people. */
  readonly table: string
  /** For results.json; the first one is the part's headline. */
  readonly figures: Readonly<Record<string, number>>
  readonly targets: readonly Target[]
}

/** A figure and what it has to be. */
export interface Target {
  readonly what: string
  readonly met: boolean
}
