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
}

/** Makes an empty record of origins. */
export function recordOrigins(): Origins {
  const origins = new Map<string, Origin>()
  const entriesBelow = (path: Path) => [...origins].filter(([, entry]) => path.every((part, index) => entry.path[index] === part))
  let order = 0
  return {
    note(path, label, writtenAs) {
      for (const [key] of entriesBelow(path)) origins.delete(key)
      origins.set(JSON.stringify(path), { path, label, order: ++order, ...(writtenAs && { writtenAs }) })
    },
    of(path) {
      for (let length = path.length; length > 0; length--) {
        const entry = origins.get(JSON.stringify(path.slice(0, length)))
        if (entry) return entry
      }
      return undefined
    },
    below: path => entriesBelow(path)[0]?.[1],
  }
}

/** The path of a value as it stands where it was written. */
export const writtenPath = (path: Path, origin: Origin | undefined): Path =>
  origin?.writtenAs ? [...origin.writtenAs, ...path.slice(origin.path.length)] : path
