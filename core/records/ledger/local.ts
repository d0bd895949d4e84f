import { GatewayError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { Database } from '../../sqlite.ts'
import type { Account, Balance, Bounds } from '../ledger.ts'
import { type Book, openBook } from './book.ts'
import { describeBalance, type Entry, fits } from './entry.ts'
import { type Journal, openJournal } from './journal.ts'
import { createCalendar, type Window } from './periods.ts'
import { ledgerRows } from './rows.ts'

export interface LocalOptions {
  /** With the tables of `tables.ts`. Stays open when the ledger is closed. */
  readonly database: Database
  readonly log: Logger
  /** Reservations that are over sooner are never written. */
  readonly writeAfterMs?: number
}

/**
 * The ledger as one process knows it, and what it decides when it need not ask anybody. There is one for a database as long
 * as the process runs; ledgers over it may come and go with the config.
 */
export interface Local {
  readonly book: Book
  readonly journal: Journal
  windowOf(account: Account, at: number): Window
  /** Throws the 503 when a limit could not be kept, because what is spent cannot be written. */
  checkDisk(account: Account): void
  /** Sets tokens aside when there is room. */
  reserve(account: Account, at: number, bounds: Bounds): Entry | undefined
  /** False when there is no room. */
  extend(entry: Entry, bounds: Bounds): boolean
  balance(account: Account, window: Window): Balance
  /** Writes what is not written yet. What is still open is charged with its estimate at the next start. */
  close(): void
}

/** Charges what the last process left open, and goes on from there. */
export function openLocal({ database, log, ...more }: LocalOptions): Local {
  const rows = ledgerRows(database)
  const { requests, tokens } = rows.chargeLeftOpen()
  if (requests > 0) log.warn({ requests, tokens }, 'requests that the last end cut off were charged with their prompts')
  const journal = openJournal({ database, log, ...more })
  const book = openBook(journal, rows.seen)
  const calendar = createCalendar()
  const windowOf = ({ period }: Account, at: number) => calendar(period, at)
  const checkDisk = ({ limit }: Account) => {
    if (limit !== null && !journal.healthy) throw notWritten()
  }
  return {
    book,
    journal,
    windowOf,
    checkDisk,
    reserve(account, at, bounds) {
      checkDisk(account)
      const window = windowOf(account, at)
      if (!fits(book.sum(account.keyId, window), account.limit, bounds.tokens)) return undefined
      return book.open(account, window, at, bounds)
    },
    extend(entry, bounds) {
      const { account, window } = entry
      const more = bounds.tokens - entry.tokens
      if (more > 0) checkDisk(account)
      if (more > 0 && !fits(book.sum(account.keyId, window), account.limit, more)) return false
      book.resize(entry, bounds)
      return true
    },
    balance(account, window) {
      const { used, others, reserved } = book.sum(account.keyId, window)
      return describeBalance(window, account.limit, used + others, reserved)
    },
    close: journal.close,
  }
}

const notWritten = (): GatewayError =>
  new GatewayError(
    503,
    'service_unavailable',
    'ledger_unavailable',
    'What this key spends cannot be recorded right now. Try again in a moment.',
    { headers: { 'retry-after': '1' } },
  )
