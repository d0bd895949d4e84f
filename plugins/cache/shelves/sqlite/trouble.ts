import { sqliteCode } from 'gatehouse'
import { DamagedFile } from './damage.ts'
import { ForeignFile } from './file.ts'

/** What kind of trouble it is, by a word that logs may hold. */
export function codeOf(error: unknown): string {
  if (error instanceof DamagedFile) return 'damaged'
  if (error instanceof ForeignFile) return 'foreign'
  return sqliteCode(error) ?? String((error as { readonly code?: unknown }).code ?? 'unknown')
}

/** The same in words that say what could be done about it. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  return (reasons.find(([pattern]) => pattern.test(code))?.[1] ?? (error as Error).message) || code
}

/** True when only another file helps. What is written breaks no rule of the tables, unless an index does not match its table. */
export const isDamage = (error: unknown): boolean => /^(damaged|SQLITE_(CORRUPT|NOTADB|CONSTRAINT))/.test(codeOf(error))

const reasons: readonly (readonly [RegExp, string])[] = [
  [/^SQLITE_(CORRUPT|NOTADB|CONSTRAINT)/, 'it is damaged'],
  [/^(SQLITE_FULL|ENOSPC|EDQUOT)/, 'the disk is full'],
  [/^SQLITE_BUSY/, 'another process uses it'],
  [/^(SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM|EACCES|EPERM|EROFS|ENOTDIR|ENOENT)/, 'it can be neither made nor written there'],
  [/^SQLITE_IOERR/, 'the disk cannot be read or written'],
]
