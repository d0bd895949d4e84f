import { createHashTable } from './hash-table.ts'
import type { KeyChange, KeyRecord, KeyRecords, KeySettings } from './keys.ts'

/** What a request needs to know of a key. The same object until the key changes, so that what is made of it can be kept beside it. */
export interface IndexedKey extends KeySettings {
  readonly id: number
  readonly version: number
  /** Until when the secret before the last rotation is good; null when there is none. */
  readonly graceUntil: number | null
}

/** Whether a key that is known may be used at all. */
export type Standing = 'valid' | 'disabled' | 'expired'

/** All keys in memory, by the hash of their secrets, so that no request waits for a query. Follows every change at once. */
export interface KeyIndex {
  /** The key with this SHA-256, also by the secret before, in its time. Undefined for strangers. */
  find(sha256: Uint8Array): IndexedKey | undefined
  get(id: number): IndexedKey | undefined
  standing(key: IndexedKey): Standing
  readonly size: number
  /** No longer follows. */
  close(): void
}

export interface KeyIndexOptions {
  readonly now?: () => number
  /** How long after keys could not be read again they are asked for once more. */
  readonly retryMs?: number
}

/** Reads all keys, and again when nobody knows what has changed; the ones known until then stay in use meanwhile. */
export async function openKeyIndex(keys: KeyRecords, { now = Date.now, retryMs = 1000 }: KeyIndexOptions = {}): Promise<KeyIndex> {
  let current = createContents()
  let closed = false
  let reading: { readonly next: Contents; readonly deleted: Set<number>; stale: boolean } | undefined

  const follow = (change: KeyChange) => {
    if (change.kind === 'all') {
      if (reading) reading.stale = true
      else readAgain()
    } else if (change.kind === 'put') {
      current.put(change.key)
      reading?.next.put(change.key)
    } else {
      current.remove(change.id)
      reading?.next.remove(change.id)
      reading?.deleted.add(change.id) // what is read later may still have it
    }
  }
  const read = async (): Promise<void> => {
    const mine = { next: createContents(), deleted: new Set<number>(), stale: false }
    reading = mine
    try {
      for await (const part of keys.all()) for (const key of part) if (!mine.deleted.has(key.id)) mine.next.put(key)
      current = mine.next
    } finally {
      reading = undefined
    }
    if (mine.stale && !closed) await read()
  }
  const readAgain = () => {
    read().catch(() => {
      if (!closed) setTimeout(readAgain, retryMs).unref()
    })
  }

  const stop = keys.onChange(follow)
  await read().catch(error => {
    stop()
    throw error
  })
  return {
    find(sha256) {
      const value = current.hashes.find(sha256)
      if (value === 0) return
      const key = current.byId.get(Math.abs(value)) as IndexedKey
      return value > 0 || now() < (key.graceUntil ?? 0) ? key : undefined
    },
    get: id => current.byId.get(id),
    standing: ({ enabled, expiresAt }) => (!enabled ? 'disabled' : expiresAt !== null && now() >= expiresAt ? 'expired' : 'valid'),
    get size() {
      return current.byId.size
    },
    close() {
      closed = true
      stop()
    },
  }
}

interface Contents {
  readonly byId: ReadonlyMap<number, IndexedKey>
  /** The id of a key; below zero for its secret before the last rotation. */
  readonly hashes: ReturnType<typeof createHashTable>
  /** Takes a key in, unless a later version of it is there. */
  put(key: KeyRecord): void
  remove(id: number): void
}

function createContents(): Contents {
  const byId = new Map<number, IndexedKey>()
  const hashes = createHashTable()
  const remove = (id: number) => {
    if (!byId.delete(id)) return
    hashes.forget(id)
    hashes.forget(-id)
  }
  return {
    byId,
    hashes,
    put(key) {
      if ((byId.get(key.id)?.version ?? 0) >= key.version) return
      remove(key.id)
      byId.set(key.id, indexed(key))
      if (key.previousSha256 !== null) hashes.set(bytesOf(key.previousSha256), -key.id)
      hashes.set(bytesOf(key.sha256), key.id)
    },
    remove,
  }
}

const bytesOf = (sha256: string) => Uint8Array.fromHex(sha256)

/** Without its hashes, its prefix and its times: of 100,000 keys these would be 25 MB. */
const indexed = (key: KeyRecord): IndexedKey => ({
  id: key.id,
  version: key.version,
  name: key.name,
  enabled: key.enabled,
  quota: key.quota,
  quotaPeriod: key.quotaPeriod,
  rateLimit: key.rateLimit,
  tokensPerMinute: key.tokensPerMinute,
  maxConcurrency: key.maxConcurrency,
  allowedIps: key.allowedIps,
  allowedModels: key.allowedModels,
  allowedEndpoints: key.allowedEndpoints,
  allowedTools: key.allowedTools,
  cacheScope: key.cacheScope,
  expiresAt: key.expiresAt,
  graceUntil: key.graceUntil,
})
