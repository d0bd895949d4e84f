import type { BackendPool } from '../backend-pool.ts'
import type { Backend } from '../backends/backend.ts'
import type { Logger } from '../log.ts'
import type { ModelRecord } from '../records/models.ts'
import { backendEntry } from './backend-entry.ts'

/** The backends of models that say where they are themselves. */
export interface PlacedBackends {
  /** Makes it so that each enabled model with an address has its backend, and nobody else. */
  settle(rows: readonly ModelRecord[]): void
  close(): Promise<void>
}

/** The name of a model's own backend. No backend of the config can be called so, and it says nothing of the address. */
export const ownBackend = ({ id }: Pick<ModelRecord, 'id'>): string => `model:${id}`

/** Keeps them in `backends`, beside those of others. */
export function placeBackends(backends: Map<string, Backend>, pool: BackendPool, log: Logger): PlacedBackends {
  let placed = new Map<string, Backend>()
  const release = (backend: Backend) =>
    pool.release(backend).catch((err: unknown) => log.error({ backend: backend.name, err }, 'backend failed to close'))

  return {
    settle(rows) {
      const before = placed
      placed = new Map()
      for (const row of rows) {
        const entry = backendEntry(row)
        const name = ownBackend(row)
        // a plugin's backend of that name was there first
        if (!entry || !row.enabled || (backends.has(name) && !before.has(name))) continue
        const backend = pool.take(name, entry)
        placed.set(name, backend)
        backends.set(name, backend)
      }
      for (const [name, backend] of before) {
        if (!placed.has(name)) backends.delete(name)
        release(backend)
      }
    },
    async close() {
      await Promise.all([...placed.values()].map(release))
      placed = new Map()
    },
  }
}
