import { Database } from 'bun:sqlite'

export type { Database } from 'bun:sqlite'

/**
 * Opens a SQLite file for reading and writing. It never waits for a lock. Keep what you get: a database that
 * nobody refers to is closed by the garbage collector, and its locks go with it.
 */
export function openDatabase(path: string, { create }: { readonly create: boolean }): Database {
  const database = new Database(path, { readwrite: true, create })
  // waiting would block the event loop
  database.run('PRAGMA busy_timeout = 0')
  return database
}

/** SQLite's name of what went wrong, such as `SQLITE_BUSY`; undefined when it was not SQLite. */
export function sqliteCode(error: unknown): string | undefined {
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined
}
