import type { Account, Balance, Bounds, Reservation } from '../ledger.ts'
import { resetOf, type Window } from './periods.ts'

/** A reservation that is not over, as this process keeps it. */
export interface Entry {
  readonly id: number
  readonly account: Account
  /** The account's period when it was made, and the day. */
  readonly window: Window
  readonly day: number
  tokens: number
  estimate: number
}

/** What a window of a key comes to, as this process knows it. */
export interface Sum {
  readonly window: Window
  /** Settled by this instance. */
  used: number
  /** Open in this process. */
  reserved: number
  /** Settled by other instances, as far as it is known. */
  others: number
}

/** What there is more of: settled, set aside, and of that estimated. */
export interface Change extends Bounds {
  readonly used: number
}

/** More than any request uses, so that nonsense from an upstream cannot break sums; 8000 of them are exact. */
const mostTokens = 2 ** 40

/** Tokens as the ledger counts them: whole, not negative, and not absurd. */
export const wholeTokens = (tokens: number): number => (tokens > 0 ? Math.min(Math.ceil(tokens), mostTokens) : 0)

/** Both bounds, so. */
export const wholeBounds = ({ tokens, estimate }: Bounds): Bounds => ({ tokens: wholeTokens(tokens), estimate: wholeTokens(estimate) })

/** What others get to see of an entry. */
export const reservationOf = ({ id, account, tokens }: Entry): Reservation => ({ id, keyId: account.keyId, tokens })

/** True when so much more may be reserved. */
export const fits = ({ used, others, reserved }: Sum, limit: number | null, tokens: number): boolean =>
  limit === null || used + others + reserved + tokens <= limit

/** How an account stands, from what was used and reserved in all. */
export const describeBalance = (window: Window, limit: number | null, used: number, reserved: number): Balance => ({
  limit,
  used,
  reserved,
  remaining: limit === null ? null : Math.max(0, limit - used - reserved),
  resetAt: resetOf(window),
})
