import type { MaybePromise } from '../plugin.ts'

/** When what is used starts again from nothing: never, at midnight, or at the first of the month, UTC. */
export type Period = 'total' | 'day' | 'month'

/** Whose tokens they are, and how many may be spent in a period. */
export interface Account {
  readonly keyId: number
  readonly period: Period
  /** null = unlimited, 0 = nothing. */
  readonly limit: number | null
}

/** What a request may come to. */
export interface Bounds {
  /** An upper bound of all it may use; at least 1, or an exhausted key gets it for nothing. */
  readonly tokens: number
  /** What it pays when its process dies before it is over: the estimate of its prompt. */
  readonly estimate: number
}

/** Tokens set aside for one request until it is settled or released. */
export interface Reservation {
  readonly id: number
  readonly keyId: number
  readonly tokens: number
}

/** How an account stands. */
export interface Balance {
  readonly limit: number | null
  /** Settled in this period. More than the limit when answers were longer than what was reserved for them. */
  readonly used: number
  /** Set aside for requests that are not over. */
  readonly reserved: number
  /** What could be reserved now; null without a limit. */
  readonly remaining: number | null
  /** When the period ends, in milliseconds since 1970; null for one without end. */
  readonly resetAt: number | null
}

export type Grant = { readonly granted: true; readonly reservation: Reservation } | { readonly granted: false; readonly balance: Balance }

/**
 * Who has spent what: reserve → (extend) → settle or release. Never check-then-charge. A request counts in the period in
 * which it was reserved, also when it ends in the next. Every implementation passes the same suite (`ledger/contract.ts`).
 */
export interface Ledger {
  /** Sets tokens aside when used + reserved + tokens ≤ limit. Throws a 503 when nobody can decide that now. */
  reserve(account: Account, bounds: Bounds): MaybePromise<Grant>
  /** From now on so much is set aside in all, before a further tool round: more when there is room, less in any case. */
  extend(reservation: Reservation, bounds: Bounds): MaybePromise<Grant>
  /**
   * Charges what was really used and returns the rest; what goes beyond the reservation is charged as well. When it
   * resolves the charge survives the process. Never rejects; a reservation that is over already is left alone.
   */
  settle(reservation: Reservation, tokens: number): Promise<void>
  /** Returns everything: the request failed. */
  release(reservation: Reservation): void
  /** For reports. Never throws: without Redis, as far as this instance knows. */
  balance(account: Account): MaybePromise<Balance>
  /** From now on it shares nothing with other instances. What is reserved can still be settled. */
  close(): void
}
