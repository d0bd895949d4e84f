import type { Grant, Ledger } from '../ledger.ts'
import { type Entry, reservationOf, wholeBounds, wholeTokens } from './entry.ts'
import type { Local } from './local.ts'

export interface SqliteLedgerOptions {
  readonly local: Local
  readonly now?: () => number
}

/** The ledger of a gateway that is alone: it decides in memory and writes to SQLite. Only `settle` waits for that. */
export function sqliteLedger({ local, now = Date.now }: SqliteLedgerOptions): Ledger {
  const { book } = local
  const grant = (entry: Entry): Grant => ({ granted: true, reservation: reservationOf(entry) })
  return {
    reserve(account, bounds) {
      const at = now()
      const entry = local.reserve(account, at, wholeBounds(bounds))
      return entry ? grant(entry) : { granted: false, balance: local.balance(account, local.windowOf(account, at)) }
    },
    extend(reservation, bounds) {
      const entry = book.find(reservation.id) ?? gone(reservation.id)
      if (local.extend(entry, wholeBounds(bounds))) return grant(entry)
      return { granted: false, balance: local.balance(entry.account, entry.window) }
    },
    settle({ id }, tokens) {
      const entry = book.find(id)
      return entry ? book.settle(entry, wholeTokens(tokens)) : Promise.resolve()
    },
    release({ id }) {
      const entry = book.find(id)
      if (entry) book.release(entry)
    },
    balance: account => local.balance(account, local.windowOf(account, now())),
    close() {},
  }
}

/** Extending what is over is a mistake of the caller. */
export function gone(id: number): never {
  throw new Error(`reservation ${id} is over`)
}
