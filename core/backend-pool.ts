import type { Backend } from './backends/backend.ts'
import { createBackend } from './backends/create.ts'
import type { Config } from './config/schema.ts'

/** The configured backends in use. A backend is shared by all generations whose config says the same of it. */
export interface BackendPool {
  /** The backend of this name and config: one in use, or a new one. Each `take` wants a `release`. */
  take(name: string, entry: Config['backends'][string]): Backend
  /** Closes the backend when nobody else uses it. */
  release(backend: Backend): Promise<void>
}

/** Nothing in use yet. */
export function createBackendPool(): BackendPool {
  const pool = new Map<Backend, { readonly entry: Config['backends'][string]; users: number }>()
  return {
    take(name, entry) {
      for (const [backend, use] of pool) {
        if (backend.name !== name || !Bun.deepEquals(use.entry, entry)) continue
        use.users++
        return backend
      }
      const backend = createBackend(name, entry)
      pool.set(backend, { entry, users: 1 })
      return backend
    },
    async release(backend) {
      const use = pool.get(backend)
      if (!use || --use.users > 0) return
      pool.delete(backend)
      await backend.close?.()
    },
  }
}
