import type { Config } from '../config/schema.ts'
import type { Logger } from '../log.ts'
import { memoryStore } from './memory.ts'
import type { Store } from './store.ts'

/** The store that a config asks for. One in Redis is given once it is known whether it can be used: a second at most. */
export async function createStore({ url, on_error: onError }: Config['redis'], log: Logger): Promise<Store> {
  if (url === undefined) return memoryStore()
  const { redisStore } = await import('./redis.ts') // its client takes 37 ms and 19 MB, which only they pay who use it
  const store = redisStore({ url, onError, log })
  await store.opened
  return store
}
