import type { Database } from '../../sqlite.ts'
import type { Entry } from './entry.ts'
import type { Window } from './periods.ts'

/** Tokens to add to a day of a key. */
export interface Spending {
  readonly keyId: number
  readonly day: number
  tokens: number
  overrun: number
}

/** What was found open at the start, and charged. */
export interface LeftOpen {
  readonly requests: number
  readonly tokens: number
}

/** The statements of the ledger, made once. */
export interface LedgerRows {
  spend(spending: Spending): void
  open(entry: Pick<Entry, 'id' | 'account' | 'day' | 'estimate'>): void
  drop(id: number): void
  spent(keyId: number, window: Window): number
  /** Settled by other instances in a window, as last heard. */
  seen(keyId: number, window: Window): number
  /** Charges what is open with its estimate, in one transaction. */
  chargeLeftOpen(): LeftOpen
}

const add = 'ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens, overrun = overrun + excluded.overrun'

/** Prepares them. */
export function ledgerRows(database: Database): LedgerRows {
  const spend = database.query<unknown, number[]>(`INSERT INTO ledger_spent (key_id, day, tokens, overrun) VALUES (?, ?, ?, ?) ${add}`)
  const open = database.query<unknown, number[]>('INSERT OR REPLACE INTO ledger_open (id, key_id, day, estimate) VALUES (?, ?, ?, ?)')
  const drop = database.query<unknown, number[]>('DELETE FROM ledger_open WHERE id = ?')
  const spent = database.query<{ tokens: number }, number[]>(
    'SELECT coalesce(sum(tokens), 0) AS tokens FROM ledger_spent WHERE key_id = ? AND day >= ? AND day < ?',
  )
  const seen = database.query<{ tokens: number }, number[]>(
    'SELECT coalesce(sum(tokens), 0) AS tokens FROM ledger_seen WHERE key_id = ? AND first = ? AND last = ?',
  )
  const leftOpen = database.query<LeftOpen, []>('SELECT count(*) AS requests, coalesce(sum(estimate), 0) AS tokens FROM ledger_open')
  const charge = database.transaction((): LeftOpen => {
    const found = leftOpen.get() as LeftOpen
    // WHERE true: without it SQLite takes ON for the begin of a join
    const charges = 'SELECT key_id, day, sum(estimate), 0 FROM ledger_open WHERE true GROUP BY key_id, day'
    database.run(`INSERT INTO ledger_spent (key_id, day, tokens, overrun) ${charges} ${add}`)
    database.run('DELETE FROM ledger_open')
    return found
  })
  const tokensOf = (row: { tokens: number } | null) => row?.tokens ?? 0
  return {
    spend: ({ keyId, day, tokens, overrun }) => void spend.run(keyId, day, tokens, overrun),
    open: ({ id, account, day, estimate }) => void open.run(id, account.keyId, day, estimate),
    drop: id => void drop.run(id),
    spent: (keyId, { first, last }) => tokensOf(spent.get(keyId, first, last)),
    seen: (keyId, { first, last }) => tokensOf(seen.get(keyId, first, last)),
    chargeLeftOpen: () => charge.immediate(),
  }
}
