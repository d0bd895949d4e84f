import type { Config } from './config/schema.ts'
import type { MaybePromise } from './plugin.ts'
import type { Store } from './stores/store.ts'

/** The stores in use. One is shared by all generations whose config says the same of Redis. */
export interface StorePool {
  /** The store for these settings: one in use, or a new one. Each `take` wants a `release`. */
  take(settings: Config['redis']): Promise<Store>
  /** Closes the store when nobody else uses it. */
  release(store: Store): Promise<void>
}

/** Nothing in use yet; `open` makes the stores. */
export function createStorePool(open: (settings: Config['redis']) => MaybePromise<Store>): StorePool {
  const pool = new Map<Store, { readonly settings: Config['redis']; users: number }>()
  return {
    async take(settings) {
      for (const [store, use] of pool) {
        if (!sameRedis(use.settings, settings)) continue
        use.users++
        return store
      }
      const store = await open(settings)
      pool.set(store, { settings, users: 1 })
      return store
    },
    async release(store) {
      const use = pool.get(store)
      if (!use || --use.users > 0) return
      pool.delete(store)
      await store.close()
    },
  }
}

/** True when both settings mean the same Redis, or none. */
export const sameRedis = (a: Config['redis'], b: Config['redis']): boolean =>
  a.url === b.url && (a.url === undefined || a.on_error === b.on_error)
