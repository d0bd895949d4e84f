/** What is shared. The settings are one row, whose id is 0. */
export type Kind = 'settings' | 'key' | 'model'

export const kinds: readonly Kind[] = ['settings', 'key', 'model']

/** `off`: a key or model that is disabled, a gateway that is closed. `gone` is for good. */
export type State = 'on' | 'off' | 'gone'

/** What all instances know of a row, apart from what it holds. */
export interface Mark {
  readonly version: number
  readonly state: State
  /** When it became so, by the clock of the instance that made it so. */
  readonly at: number
  /** Names the change that made it so. */
  readonly change: string
  /** Names the change that made it at all. Rows of one id are the same row only when they have one origin. */
  readonly origin: string
}

/** A row as it is in Redis. */
export interface SharedRow extends Mark {
  /** JSON; empty when it is gone. */
  readonly body: string
}

/** The row as text: in front what is compared, then what it holds. */
export const writeRow = ({ version, state, at, change, origin, body }: SharedRow): string =>
  `${version} ${state} ${at} ${change} ${origin} ${body}`

const pattern = /^(\d+) (on|off|gone) (\d+) (\S+) (\S+) (.*)$/s

/** Reads it; undefined when somebody else wrote it. */
export function readRow(text: string): SharedRow | undefined {
  const [, version, state, at, change = '', origin = '', body = ''] = pattern.exec(text) ?? []
  if (version === undefined) return
  return { version: Number(version), state: state as State, at: Number(at), change, origin, body }
}

/**
 * Which of two rows of one origin counts, whoever asks: one that is gone, then the later version. Versions are equal only
 * when Redis had lost the one change before the other was made: then what takes rights away, then the later one.
 */
export function isNewer(one: Mark, other: Mark): boolean {
  if (one.change === other.change) return false
  for (const rank of ranks) {
    const [mine, theirs] = [rank(one), rank(other)]
    if (mine !== theirs) return mine > theirs
  }
  return one.change > other.change
}

const ranks: readonly ((mark: Mark) => number)[] = [
  ({ state }) => (state === 'gone' ? 1 : 0),
  ({ version }) => version,
  ({ state }) => (state === 'off' ? 1 : 0),
  ({ at }) => at,
]
