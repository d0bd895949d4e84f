import { type Lock, type LockAnswer, takeLock } from '../data-folder/lock.ts'
import { ConfigError } from '../errors.ts'
import type { Database } from '../sqlite.ts'
import type { Records } from './records.ts'
import { sqliteAudit } from './sqlite/audit.ts'
import { backupFile } from './sqlite/backup.ts'
import { inUse, unusable } from './sqlite/complaints.ts'
import { sqliteKeys } from './sqlite/keys.ts'
import type { Migration } from './sqlite/migrate.ts'
import { migrations as ourMigrations } from './sqlite/migrations.ts'
import { sqliteModels } from './sqlite/models.ts'
import { openFile, refuseForeign, settlePath } from './sqlite/open-file.ts'
import { sqliteSettings } from './sqlite/settings.ts'
import { sqliteUsage } from './sqlite/usage.ts'

/** Records in one SQLite file. */
export interface SqliteRecords extends Records {
  /** For the ledger, whose tables are in the same file. It is closed with the records. */
  readonly database: Database
  /** Lines to log: what could not be made sure of. */
  readonly warnings: readonly string[]
  close(): void
}

export interface SqliteOptions {
  readonly path: string
  readonly now?: () => number
  readonly migrations?: readonly Migration[]
  readonly lock?: (path: string) => Promise<LockAnswer>
}

/**
 * Opens the records in a SQLite file, which is made, or brought up to date. Throws a ConfigError when the file is of
 * another program, of a later release, in use by another gatehouse, or cannot be used; it is then as it was.
 */
export async function openRecords(options: SqliteOptions): Promise<SqliteRecords> {
  const { path, now = Date.now, migrations = ourMigrations, lock: take = takeLock } = options
  const file = settlePath(path)
  refuseForeign(file)
  const lock = await lockOf(file, take)
  if (lock === 'held') throw inUse(file)
  try {
    refuseForeign(file) // it may have been put there while we waited
    const database = openFile(file, migrations)
    return { ...assemble(database, file, now, lock), warnings: lock === 'unsupported' ? [unlocked(file)] : [] }
  } catch (error) {
    if (lock !== 'unsupported') lock.release()
    throw error
  }
}

function assemble(database: Database, file: string, now: () => number, lock: Lock | 'unsupported') {
  const audit = sqliteAudit(database, now)
  const settings = sqliteSettings(database, audit)
  const closing = new AbortController()
  return {
    database,
    audit,
    settings,
    keys: sqliteKeys(database, { audit, settings, now }),
    models: sqliteModels(database, { audit, now }),
    usage: sqliteUsage(database),
    backup: (to: string) => backupFile(file, to, closing.signal),
    close() {
      if (closing.signal.aborted) return
      closing.abort(new ConfigError('backup: given up, because gatehouse stops'))
      // waits for no statement that somebody still holds, so that the WAL goes into the file and away
      database.close(true)
      if (lock !== 'unsupported') lock.release()
    },
  }
}

/** A data folder has one gatehouse, but `database.path` may be the same for several. The lock ends with the process. */
async function lockOf(file: string, take: typeof takeLock): Promise<LockAnswer> {
  try {
    return await take(`${file}.lock`)
  } catch (error) {
    throw unusable(`${file}.lock`, error)
  }
}

const unlocked = (file: string) =>
  `database.path: the file system of ${file} has no locks, so nothing keeps a second gatehouse from using it too`
