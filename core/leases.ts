import type { MaybePromise } from './plugin.ts'

/**
 * Places that requests hold while they run, so that no key has more of them at a time than it may. Every implementation
 * passes the same suite (`leases/contract.ts`).
 */
export interface Leases {
  /** Holds one of `limit` places until it is released or its process is gone. Throws the 503 when it must not be decided alone. */
  take(key: string, limit: number): MaybePromise<LeaseAnswer>
  close(): MaybePromise<void>
}

export type LeaseAnswer =
  | { readonly granted: true; readonly lease: Lease /** How many are held now. */; readonly held: number }
  | { readonly granted: false; readonly held: number }

/** A place that is held. */
export interface Lease {
  /** Gives it back. Never throws; twice is once. */
  release(): void
}
