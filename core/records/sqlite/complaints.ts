import { ConfigError } from '../../errors.ts'
import { sqliteCode } from '../../sqlite.ts'

const change = 'choose another file with database.path'

/** A database of another program. */
export const foreign = (path: string): ConfigError =>
  new ConfigError(
    `database.path: ${path} is the database of another program, which gatehouse leaves alone; ${change}, or leave that out: then it is gatehouse.db in the data folder`,
  )

/** Something that is there and no database. */
export const noDatabase = (path: string, cause?: unknown): ConfigError =>
  new ConfigError(`database.path: ${path} is no SQLite database; ${change}`, { cause })

/** Another gatehouse has it, with another data folder: one folder has one gatehouse. */
export const inUse = (path: string): ConfigError =>
  new ConfigError(`database.path: ${path} is in use by another gatehouse; stop that one, or ${change}`)

/** What it holds is of a later release. */
export const newer = (path: string, found: number, known: number): ConfigError =>
  new ConfigError(
    `database.path: ${path} was used by a newer gatehouse (its schema is number ${found}, this release knows up to ${known}); start that release again, or ${change}`,
  )

/** One step of bringing it up to date failed. */
export const notMigrated = (path: string, step: string, cause: unknown): ConfigError =>
  new ConfigError(
    `database.path: ${path} could not be brought up to date (${step}): ${reasonOf(cause)}. Nothing of this step was done; the release before can still use it`,
    { cause },
  )

/** It cannot be used. */
export const unusable = (path: string, cause: unknown): ConfigError =>
  new ConfigError(`database.path: ${path} cannot be used: ${reasonOf(cause)}; ${change}`, { cause })

/** A backup was not made. */
export function noBackup(file: string, cause: unknown): ConfigError {
  const taken = (cause as { readonly code?: unknown }).code === 'EEXIST'
  return new ConfigError(`backup: ${file} was not written: ${taken ? 'it is there already (EEXIST)' : reasonOf(cause)}`, { cause })
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOENT: 'its folder does not exist',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'this user’s disk quota is used up',
  ENOTDIR: 'a file is in the way of its folder',
  EEXIST: 'a file is in the way of its folder',
  EISDIR: 'a folder is in the way',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its path is too long',
  EMFILE: 'this process has too many files open',
  SQLITE_CANTOPEN: 'it cannot be opened',
  SQLITE_READONLY: 'it may not be written',
  SQLITE_READONLY_DIRECTORY: 'its folder may not be written',
  SQLITE_READONLY_CANTINIT: 'its folder may not be written',
  SQLITE_BUSY: 'another program is writing it',
  SQLITE_CORRUPT: 'it is damaged; put a backup in its place',
  SQLITE_NOTADB: 'it is damaged; put a backup in its place',
  SQLITE_FULL: 'no space is left on the device',
}

/** What went wrong, in words for people. */
export function reasonOf(cause: unknown): string {
  const code = sqliteCode(cause) ?? (cause as { readonly code?: unknown }).code
  if (typeof code !== 'string') return cause instanceof Error ? cause.message : 'unknown error'
  const reason = reasons[code] ?? reasons[code.split('_').slice(0, 2).join('_')]
  return reason ? `${reason} (${code})` : code
}
