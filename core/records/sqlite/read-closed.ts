import { statSync } from 'node:fs'
import { ConfigError } from '../../errors.ts'
import { openDatabase, sqliteCode } from '../../sqlite.ts'
import { refuseForeign } from './open-file.ts'

/** Whether a database, perhaps of a gatehouse that runs, says that there once was a managed key. False as well where it cannot be read. Changes no row. */
export function readClosed(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return false
  try {
    refuseForeign(path)
    const database = openDatabase(path, { create: false })
    try {
      return database.query("SELECT 1 FROM settings WHERE name = 'closed'").get() !== null
    } finally {
      database.close(true)
    }
  } catch (error) {
    if (error instanceof ConfigError || sqliteCode(error) !== undefined) return false
    throw error
  }
}
