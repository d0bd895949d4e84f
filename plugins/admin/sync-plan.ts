import type { ModelRecord } from 'gatehouse'

/** What a backend said it has. */
export interface Offer {
  readonly backend: string
  readonly names: readonly string[]
}

/** What a sync would change. */
export interface SyncPlan {
  readonly add: readonly { readonly name: string; readonly backend: string }[]
  /** Found at another backend than before; whether it is enabled stays as it is. */
  readonly move: readonly { readonly row: ModelRecord; readonly backend: string }[]
  readonly remove: readonly ModelRecord[]
  /** How many of the names offered were there already. */
  readonly unchanged: number
}

export interface SyncState {
  readonly rows: readonly ModelRecord[]
  /** By those who answered. */
  readonly offers: readonly Offer[]
  /** Whether a backend may still have what it had: one that failed, or was not asked. */
  readonly silent: (backend: string) => boolean
  /** Whether the config says what a name means. */
  readonly configured: (name: string) => boolean
}

/**
 * What is missing is added; what a sync has added and nobody has any more is removed. A disabled model stays: it would
 * come back enabled as soon as its backend has it again.
 */
export function planSync({ rows, offers, silent, configured }: SyncState): SyncPlan {
  const known = new Set(rows.map(({ name }) => name))
  const offered = new Map<string, string>()
  for (const { backend, names } of offers) for (const name of names) if (!offered.has(name)) offered.set(name, backend)
  const has = new Set(offers.flatMap(({ backend, names }) => names.map(name => place(backend, name))))

  const add = [...offered].flatMap(([name, backend]) => (known.has(name) || configured(name) ? [] : [{ name, backend }]))
  const gone = rows.filter(
    ({ source, baseUrl, backend, upstreamModel, name }) =>
      source === 'sync' && baseUrl === null && !silent(backend) && !has.has(place(backend, upstreamModel ?? name)),
  )
  const elsewhere = (row: ModelRecord) => (row.upstreamModel === null ? offered.get(row.name) : undefined)
  return {
    add,
    move: gone.flatMap(row => {
      const backend = elsewhere(row)
      return backend === undefined ? [] : [{ row, backend }]
    }),
    remove: gone.filter(row => row.enabled && elsewhere(row) === undefined),
    unchanged: offered.size - add.length,
  }
}

const place = (backend: string, name: string) => JSON.stringify([backend, name])
