import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '../../../log.ts'
import { type Database, openDatabase } from '../../../sqlite.ts'
import type { Ledger } from '../../ledger.ts'
import { openLocal } from '../local.ts'
import { sqliteLedger } from '../sqlite.ts'
import { ledgerTables } from '../tables.ts'

/** A folder for database files, which ends with the test. */
export interface LedgerFolder extends Disposable {
  readonly path: string
}

export function ledgerFolder(): LedgerFolder {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-ledger-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Opens a file as the records do, and makes the tables when they are missing. */
export function openLedgerDatabase(path: string): Database {
  const database = openDatabase(path, { create: true })
  database.run('PRAGMA journal_mode = WAL')
  database.run('PRAGMA synchronous = NORMAL')
  const tables = database.query("SELECT 1 FROM sqlite_schema WHERE name = 'ledger_spent'").get()
  if (tables === null) database.run(ledgerTables)
  return database
}

/** Copies a database as a process that is killed now would leave it. */
export function copyAsCrashed(from: string, to: string): void {
  for (const end of ['', '-wal']) if (existsSync(from + end)) copyFileSync(from + end, to + end)
}

/** One line of the log. */
export interface LedgerLine {
  readonly level: string
  readonly message: string
  readonly requests?: number
  readonly tokens?: number
}

/** A log that keeps its lines. */
export function keptLog(): { readonly log: Logger; readonly lines: LedgerLine[] } {
  const lines: LedgerLine[] = []
  const at = (level: string) => (facts: object | string, message?: string) =>
    void lines.push(typeof facts === 'string' ? { level, message: facts } : { ...facts, level, message: message ?? '' })
  return { lines, log: { info: at('info'), warn: at('warn'), error: at('error'), debug: at('debug') } as unknown as Logger }
}

export interface AloneOptions {
  readonly now?: () => number
  readonly writeAfterMs?: number
}

/** A ledger that is alone on its database file. */
export interface LedgerAlone {
  readonly ledger: Ledger
  readonly database: Database
  readonly lines: readonly LedgerLine[]
  /** Ends it in good order. */
  close(): void
}

/** Opens one. */
export function openAlone(path: string, { now = Date.now, ...more }: AloneOptions = {}): LedgerAlone {
  const database = openLedgerDatabase(path)
  const { log, lines } = keptLog()
  const local = openLocal({ database, log, ...more })
  const ledger = sqliteLedger({ local, now })
  return {
    ledger,
    database,
    lines,
    close() {
      ledger.close()
      local.close()
      database.close(true)
    },
  }
}
