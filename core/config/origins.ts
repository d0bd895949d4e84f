import type { Path } from './tree.ts'

/** Where a value came from. A higher order wins over a lower one. */
export interface Origin {
  /** `environment PORT`, `.env PORT`, `command line`, or a file of an older gateway. */
  readonly label: string
  readonly order: number
  /** Which part of the config was set at once. */
  readonly path: Path
  /** What that part is called where it was written; another gateway's file has names of its own. */
  readonly writtenAs?: Path
}

/** Who set which part of the config, apart from gatehouse.yaml. */
export interface Origins {
  /** Notes that `path`, and everything below it, now comes from `label`. Later calls outrank earlier ones. */
  note(path: Path, label: string, writtenAs?: Path): void
  /** Who set `path` or the nearest mapping around it. */
  of(path: Path): Origin | undefined
  /** Who set anything below `path`. */
  below(path: Path): Origin | undefined
  /** Which part of the config what stands at a path of another gateway's file became. */
  became(written: Path): Path | undefined
}

/** Makes an empty record of origins. */
export function recordOrigins(): Origins {
  const origins = new Map<string, Origin>()
  const moves: Pick<Origin, 'path' | 'writtenAs'>[] = []
  const entriesBelow = (path: Path) => [...origins].filter(([, entry]) => path.every((part, index) => entry.path[index] === part))
  let order = 0
  return {
    note(path, label, writtenAs) {
      for (const [key] of entriesBelow(path)) origins.delete(key)
      origins.set(JSON.stringify(path), { path, label, order: ++order, ...(writtenAs && { writtenAs }) })
      if (writtenAs) moves.push({ path, writtenAs })
    },
    of(path) {
      for (let length = path.length; length > 0; length--) {
        const entry = origins.get(JSON.stringify(path.slice(0, length)))
        if (entry) return entry
      }
      return undefined
    },
    below: path => entriesBelow(path)[0]?.[1],
    became(written) {
      const isAbove = (above: Path) => above.every((part, index) => part === written[index])
      const move = moves.find(({ writtenAs = [] }) => isAbove(writtenAs))
      return move && [...move.path, ...written.slice(move.writtenAs?.length)]
    },
  }
}

/** The path of a value as it stands where it was written. */
export const writtenPath = (path: Path, origin: Origin | undefined): Path =>
  origin?.writtenAs ? [...origin.writtenAs, ...path.slice(origin.path.length)] : path
