import type { Path } from './tree.ts'

/** Where a value came from. A higher order wins over a lower one. */
export interface Origin {
  /** `environment PORT`, `.env PORT`, `command line`. */
  readonly label: string
  readonly order: number
}

/** Who set which part of the config, apart from the file. */
export interface Origins {
  /** Notes that `path`, and everything below it, now comes from `label`. Later calls outrank earlier ones. */
  note(path: Path, label: string): void
  /** Who set `path` or the nearest mapping around it. */
  of(path: Path): Origin | undefined
  /** Who set anything below `path`. */
  below(path: Path): Origin | undefined
}

/** Makes an empty record of origins. */
export function recordOrigins(): Origins {
  const origins = new Map<string, { readonly path: Path; readonly origin: Origin }>()
  const entriesBelow = (path: Path) => [...origins].filter(([, entry]) => path.every((part, index) => entry.path[index] === part))
  let order = 0
  return {
    note(path, label) {
      for (const [key] of entriesBelow(path)) origins.delete(key)
      origins.set(JSON.stringify(path), { path, origin: { label, order: ++order } })
    },
    of(path) {
      for (let length = path.length; length > 0; length--) {
        const entry = origins.get(JSON.stringify(path.slice(0, length)))
        if (entry) return entry.origin
      }
      return undefined
    },
    below: path => entriesBelow(path)[0]?.[1].origin,
  }
}
