import type { MaybePromise } from '../plugin.ts'
import type { Period } from './ledger.ts'
import type { Author, CountedPage, PageRequest } from './page.ts'

/** What an admin may set on a key. */
export interface KeySettings {
  readonly name: string
  readonly enabled: boolean
  /** Tokens per period; null = unlimited, 0 = nothing. */
  readonly quota: number | null
  readonly quotaPeriod: Period
  /** Requests per minute; null = no limit. */
  readonly rateLimit: number | null
  readonly tokensPerMinute: number | null
  /** Requests at the same time. */
  readonly maxConcurrency: number | null
  /** Addresses and CIDR blocks; empty = all. */
  readonly allowedIps: readonly string[]
  /** Names and globs; empty = all. */
  readonly allowedModels: readonly string[]
  /** Null = what any key may use. */
  readonly allowedEndpoints: readonly string[] | null
  /** Empty = none. */
  readonly allowedTools: readonly string[]
  /** With whom the key shares cached answers; null = what the cache does by default. */
  readonly cacheScope: 'key' | 'all' | 'off' | null
  /** Milliseconds since 1970; null = never. */
  readonly expiresAt: number | null
}

/** The part of a secret that is kept. */
export interface StoredSecret {
  /** In hexadecimal, lower case. */
  readonly sha256: string
  /** The first characters, to recognise it by. */
  readonly prefix: string
}

/** A managed key as it is stored. The secret itself is never here. */
export interface KeyRecord extends KeySettings, StoredSecret {
  /** Never given again, not even after the key was deleted. */
  readonly id: number
  /** The secret before the last rotation, which is good until `graceUntil`. Both null when there is none. */
  readonly previousSha256: string | null
  readonly graceUntil: number | null
  readonly createdAt: number
  /** Written in batches, so it lags a little. Does not count as a change. */
  readonly lastUsedAt: number | null
  /** One more with each change. */
  readonly version: number
}

/** Shorter ones (`sk-`) are how every key begins. */
export const shortestBeginning = 4

/** What came of a change: the record as it is now, or why nothing happened. */
export type Changed<T> = T | 'missing' | 'conflict'

/** What listeners are told. `all`: there may be changes nobody heard of, so everything must be read again. */
export type KeyChange =
  | { readonly kind: 'put'; readonly key: KeyRecord }
  | { readonly kind: 'delete'; readonly id: number }
  | { readonly kind: 'all' }

/**
 * The managed keys. Each change leaves a row in the audit, and with a `version` it happens only to the key that still
 * has it: else 'conflict'. Deleting a key deletes nothing of its usage and its audit.
 */
export interface KeyRecords {
  get(id: number): MaybePromise<KeyRecord | undefined>
  /**
   * By ascending id. `search`: the name contains it, in whatever case; or, from `shortestBeginning` characters on, the
   * secret began with it, as far as its beginning is kept.
   */
  list(page: PageRequest & { readonly search?: string }): MaybePromise<CountedPage<KeyRecord>>
  /** Every key, by ascending id in parts. What changes meanwhile may be in it or not. */
  all(): AsyncIterable<readonly KeyRecord[]>
  /** Makes a key, and closes the gateway for good (`Settings.closed`). */
  create(settings: KeySettings, secret: StoredSecret, author: Author): MaybePromise<KeyRecord>
  /** A change that changes nothing leaves the version alone. */
  update(id: number, change: Partial<KeySettings>, author: Author, version?: number): MaybePromise<Changed<KeyRecord>>
  /** Another secret; the one before is good until `graceUntil`, or no longer when that is null. One before that is gone. */
  rotate(id: number, secret: StoredSecret, graceUntil: number | null, author: Author, version?: number): MaybePromise<Changed<KeyRecord>>
  /** The key as it was. */
  delete(id: number, author: Author, version?: number): MaybePromise<Changed<KeyRecord>>
  /** Notes when keys were used last, by id. Unknown ones and times earlier than what is noted are passed over. */
  used(at: ReadonlyMap<number, number>): MaybePromise<void>
  /** Called after each change, wherever it was made, but not for `used`. The result ends that. The listener must not throw. */
  onChange(listener: (change: KeyChange) => void): () => void
}
