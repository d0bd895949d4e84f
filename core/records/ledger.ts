import type { Usage } from '../openai.ts'
import type { MaybePromise } from '../plugin.ts'

/** Tokens set aside for one request until it is settled or released. */
export interface Reservation {
  readonly id: string
  readonly keyId: string
  readonly tokens: number
}

/** Who has spent what: reserve → (extend) → settle or release. Never check-then-charge. */
export interface Ledger {
  /** Sets tokens aside, or throws the 429 `insufficient_quota`. */
  reserve(keyId: string, tokens: number): MaybePromise<Reservation>
  /** Sets more aside, before a further tool round. */
  extend(reservation: Reservation, tokens: number): MaybePromise<Reservation>
  /** Charges what was really used and returns the rest. Committed before the last bytes are released. */
  settle(reservation: Reservation, usage: Readonly<Usage>): MaybePromise<void>
  /** Returns everything: the request failed. */
  release(reservation: Reservation): MaybePromise<void>
}
