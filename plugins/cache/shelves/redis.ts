import type { Logger, MaybePromise, Store } from 'gatehouse'
import type { KeptAnswer } from '../kept.ts'
import type { Limits } from '../memory/memory.ts'
import type { Shelf } from '../shelf.ts'
import { createEpochs } from './redis/epochs.ts'
import { createPatience } from './redis/patience.ts'
import { decodeValue, encodeValue } from './redis/value.ts'

export interface RedisShelfOptions {
  /** The store of the house; it is not closed here. */
  readonly store: Store
  /** Only the ttl counts: how much Redis keeps is its own affair. With no room at all nothing is kept. */
  readonly limits: Limits
  readonly log: Logger
  /** Called when another instance has cleared a model, or everything; also when that cannot be ruled out. */
  readonly onCleared: (model: string | undefined) => void
  readonly now?: () => number
}

/** Longer answers are not for Redis, where one command waits for the other. */
const longestBody = 4 * 1024 * 1024

/** Answers in the store that the instances share. */
export function redisShelf({ store, limits: first, log, onCleared, now = Date.now }: RedisShelfOptions): Shelf {
  const patience = createPatience()
  const epochs = createEpochs({ store, now, onCleared })
  const pending = new Set<Promise<unknown>>()
  let limits = first
  let closed = false

  const lost = () => closed || store.state === 'down' || patience.over
  const track = (work: MaybePromise<unknown>) => {
    if (!(work instanceof Promise)) return
    const settled = work.catch(() => {}).finally(() => pending.delete(settled))
    pending.add(settled)
  }
  const fresh = (model: string): MaybePromise<boolean> => {
    if (!closed && epochs.of(model)) return true
    const orMissed = (known: boolean | undefined) => {
      if (!known) epochs.missed(model)
      return known === true
    }
    return lost() ? orMissed(false) : patience.wait(epochs.learn(model)).then(orMissed)
  }
  const judge = (bytes: Uint8Array | null | undefined, maxAgeMs: number): MaybePromise<KeptAnswer | undefined> => {
    const value = bytes ? decodeValue(bytes) : undefined
    if (!value) return
    const { answer, keptAt, epoch } = value
    const ageMs = Math.max(0, now() - keptAt) // clocks differ
    if (!(ageMs < limits.ttlMs && ageMs < maxAgeMs)) return
    const ifUncleared = () => {
      const current = epochs.of(answer.head.model)
      return current?.all === epoch.all && current.models === epoch.models ? { ...answer, ageMs } : undefined
    }
    const known = fresh(answer.head.model)
    return known instanceof Promise ? known.then(ifUncleared) : ifUncleared()
  }
  const put = (key: string, answer: KeptAnswer, keptAt: number) => {
    const epoch = epochs.of(answer.head.model)
    const ttlMs = limits.ttlMs - Math.max(0, now() - keptAt)
    if (epoch && ttlMs > 0) return store.set(`cache:${key}`, encodeValue({ answer, keptAt, epoch }), { ttlMs })
  }

  const flush = async () => void (await Promise.all(pending))

  return {
    name: 'redis',
    fresh,
    get(key, maxAgeMs) {
      if (lost()) return
      const found = store.get(`cache:${key}`)
      return found instanceof Promise ? patience.wait(found).then(bytes => judge(bytes, maxAgeMs)) : judge(found, maxAgeMs)
    },
    touch() {}, // Redis knows by itself, and only of what is asked of it
    set(key, given) {
      if (closed) return
      const answer = { ageMs: 0, ...given }
      const keptAt = now() - answer.ageMs
      // even if it is not kept here: from now on it must be known whether it was cleared
      const known = fresh(answer.head.model)
      if (answer.body.length > longestBody || limits.maxEntries < 1 || limits.maxBytes < answer.body.length) return
      track(known instanceof Promise ? known.then(fine => (fine ? put(key, answer, keptAt) : undefined)) : put(key, answer, keptAt))
    },
    async clear(model) {
      if (closed || (await epochs.clear(model))) return undefined
      log.warn({ model }, 'The cache was cleared here only, because Redis cannot be reached; the others follow when it is back')
      return undefined
    },
    limit(next) {
      limits = next
    },
    flush,
    async close() {
      closed = true
      epochs.close()
      await flush()
    },
  }
}
