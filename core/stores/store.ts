import type { MaybePromise } from '../plugin.ts'

/**
 * Small shared memory of the running instances: cached bytes, counters and buckets. Every implementation
 * passes the same suite (`contract.ts`). Methods may answer synchronously, as memory does.
 * Keys are `kind:id`, for example `cache:9b1c…`, `rate:all`.
 */
export interface Store {
  readonly name: string
  /** `down` while what several instances share cannot be reached. */
  readonly state: 'up' | 'down'
  /** The bytes under `key`, or null when missing or expired. */
  get(key: string): MaybePromise<Uint8Array | null>
  /** Writes bytes; with `ttlMs` they vanish on their own. */
  set(key: string, value: Uint8Array, options?: { ttlMs?: number }): MaybePromise<void>
  /** True when there was something to delete. */
  delete(key: string): MaybePromise<boolean>
  /** Every key with this prefix. For the admin API, never on the request path. */
  keys(prefix: string): AsyncIterable<string>
  /** Adds to a counter and returns its new value, atomically across processes. */
  add(key: string, amount: number): MaybePromise<number>
  /** Takes `cost` from a leaky bucket, atomically; nothing is taken when refused. */
  take(key: string, bucket: Bucket, cost?: number): MaybePromise<Take>
  /**
   * Returns part of what was taken from a leaky bucket; a negative amount is taken besides, without asking. Never refuses.
   * Undefined when what is shared cannot be reached and nobody may decide alone.
   */
  giveBack(key: string, bucket: Bucket, amount: number): MaybePromise<Level | undefined>
  close(): MaybePromise<void>
}

/** Drains at `perMinute`; `burst` may be taken at once. */
export interface Bucket {
  readonly perMinute: number
  readonly burst: number
}

/** How full a bucket is. */
export interface Level {
  /** What may be taken now. */
  readonly remaining: number
  /** Until the bucket is empty again. */
  readonly resetMs: number
}

export type Take = ({ readonly allowed: true } & Level) | { readonly allowed: false; readonly retryAfterMs: number }
