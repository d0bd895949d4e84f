import { closeSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ConfigError } from '../../errors.ts'
import { applicationIdOf, type Database, openDatabase, sqliteCode } from '../../sqlite.ts'
import { foreign, noDatabase, unusable } from './complaints.ts'
import { type Migration, migrate } from './migrate.ts'

/** What says that a SQLite file is ours: `GATE`. */
export const applicationId = 0x47415445

/** The file a path leads to, whose folder is made when it is missing. */
export function settlePath(path: string): string {
  return orUnusable(path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    return statSync(path, { throwIfNoEntry: false }) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path))
  })
}

/** Throws a ConfigError unless the file is ours, empty, or not there yet. Changes nothing. */
export function refuseForeign(path: string): void {
  const found = orUnusable(path, () => statSync(path, { throwIfNoEntry: false }))
  if (found === undefined || (found.isFile() && found.size === 0)) return
  if (!found.isFile()) throw noDatabase(path)
  const id = orUnusable(path, () => {
    try {
      return applicationIdOf(path)
    } catch (error) {
      throw sqliteCode(error) === 'SQLITE_NOTADB' ? noDatabase(path, error) : error
    }
  })
  if (id !== applicationId) throw foreign(path)
}

/** Opens the file for one writer, makes it when it is missing, and brings it up to date. */
export function openFile(path: string, migrations: readonly Migration[]): Database {
  return orUnusable(path, () => {
    createPrivate(path)
    const database = openDatabase(path, { create: false })
    try {
      // before WAL mode, so that it stands in the file itself, where `refuseForeign` looks, and not in the journal
      if (isEmpty(database)) database.run(`PRAGMA application_id = ${applicationId}`)
      for (const pragma of pragmas) database.run(pragma)
      migrate(database, path, migrations)
      return database
    } catch (error) {
      database.close(true)
      throw error
    }
  })
}

const pragmas: readonly string[] = [
  'PRAGMA journal_mode = WAL',
  // a commit is then a write to the WAL without waiting for the disk: it survives the process, but not always the power
  'PRAGMA synchronous = NORMAL',
  // for somebody who writes with a tool of his own; with a gatehouse there is only one writer
  'PRAGMA busy_timeout = 50',
  // a backup or a slow reader makes the WAL grow; afterwards it becomes small again
  'PRAGMA journal_size_limit = 16777216',
  'PRAGMA temp_store = MEMORY',
  'PRAGMA trusted_schema = OFF',
]

const isEmpty = (database: Database) => (database.query('PRAGMA page_count').get() as { readonly page_count: number }).page_count === 0

/** SQLite gives its `-wal` and `-shm` the same rights. */
function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as { readonly code?: string }).code !== 'EEXIST') throw error
  }
}

function orUnusable<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const known = typeof (error as { readonly code?: unknown }).code === 'string'
    throw error instanceof ConfigError || !known ? error : unusable(path, error)
  }
}
