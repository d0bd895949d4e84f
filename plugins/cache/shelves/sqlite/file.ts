import { closeSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { type Database, openDatabase, sqliteCode } from 'gatehouse'
import { DamagedFile } from './damage.ts'
import { openRows } from './open-rows.ts'
import type { Rows } from './rows.ts'
import { applicationId, tables, tablesVersion } from './tables.ts'

/** The file is somebody else's and is left alone. */
export class ForeignFile extends Error {}

/**
 * Opens the answers of a file. It is made when it is missing, and made anew when it is of another version or shall be empty.
 * Throws when it cannot be used.
 */
export function openFile(path: string, { empty }: { readonly empty: boolean }): Rows {
  const state = judge(path)
  if (state === 'foreign') throw new ForeignFile('it holds something else than the answers of a cache')
  if (state === 'damaged') throw new DamagedFile('it is no SQLite file')
  if (empty || state !== 'ours') createFile(path)
  const database = openDatabase(path, { create: false })
  try {
    for (const setting of settings) database.run(`PRAGMA ${setting}`)
    return openRows(database)
  } catch (error) {
    database.close(true)
    // SQLite says no more than "error" when a table is missing
    throw sqliteCode(error) === 'SQLITE_ERROR' ? new DamagedFile('its tables are not ours') : error
  }
}

/**
 * Exclusive: nobody else has business here, and reads need no locks. Nothing is synced to
 * the disk, which would hold up the event loop (the README has the numbers): what a power cut damages, the checksums find.
 */
const settings = ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = OFF', 'wal_autocheckpoint = 512']

/** What SQLite puts beside a file; a log that is left there would be played into a new one. */
const besides = ['-journal', '-wal', '-shm']

/** Puts a file without answers in the place of whatever is there. It is made under another name, so that nobody finds half of one. */
function createFile(path: string): void {
  const unfinished = `${path}.new`
  for (const name of [path, unfinished]) remove(name) // first, because the disk may be full
  closeSync(openSync(unfinished, 'wx', 0o600)) // what SQLite puts beside it gets the same mode
  const database = openDatabase(unfinished, { create: false })
  try {
    writeTables(database)
  } finally {
    database.close(true)
  }
  renameSync(unfinished, path)
}

function remove(path: string): void {
  for (const name of [path, ...besides.map(end => path + end)]) rmSync(name, { force: true })
}

function writeTables(database: Database): void {
  // it is renamed when it is complete; after a power cut it is judged
  for (const setting of ['synchronous = OFF', 'auto_vacuum = INCREMENTAL', `application_id = ${applicationId}`])
    database.run(`PRAGMA ${setting}`)
  database.run(`BEGIN; ${tables} PRAGMA user_version = ${tablesVersion}; COMMIT`)
}

/** Puts a damaged file out of the way; the one before it goes. */
export function setAside(path: string): void {
  renameSync(path, `${path}.damaged`)
  remove(path)
}

const magic = 'SQLite format 3\0'

/** What lies there, by its first bytes: SQLite would take part in what belongs to somebody else just by opening it. */
function judge(path: string): 'missing' | 'ours' | 'outdated' | 'foreign' | 'damaged' {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return 'missing'
  if (!stats.isFile()) return 'foreign'
  if (stats.size === 0) return 'missing'
  const header = Buffer.alloc(100)
  const file = openSync(path, 'r')
  const length = readSync(file, header)
  closeSync(file)
  if (length < header.length || header.toString('latin1', 0, magic.length) !== magic) return 'damaged'
  if (header.readUInt32BE(68) !== applicationId) return 'foreign'
  return header.readUInt32BE(60) === tablesVersion ? 'ours' : 'outdated'
}
