import type { Database } from '../../sqlite.ts'
import { newer, notMigrated } from './complaints.ts'

/** One step from an older schema to a newer one. Never changed once it was released. */
export interface Migration {
  /** 1, 2, 3 … */
  readonly id: number
  readonly name: string
  /** Statements, separated by semicolons. */
  readonly sql: string
}

/**
 * Brings a database up to date, one transaction per step, so that a step was done as a whole or not at all however the
 * process ends. The number of the last step is the file's `user_version`. Throws a ConfigError for a newer schema.
 */
export function migrate(database: Database, path: string, migrations: readonly Migration[]): void {
  if (migrations.some(({ id }, index) => id !== index + 1)) throw new Error('migrations are numbered 1, 2, 3 …')
  const found = versionOf(database)
  if (found > migrations.length) throw newer(path, found, migrations.length)
  // a file that may not be written says so only when it is; and constraints are in the way of steps that rebuild a table
  database.transaction(() => setVersion(database, found)).immediate()
  database.run('PRAGMA foreign_keys = OFF')
  for (const { id, name, sql } of migrations.slice(found)) {
    const step = database.transaction(() => {
      database.run(sql)
      if (database.query('PRAGMA foreign_key_check').get() !== null) throw new Error('a row refers to one that is not there')
      setVersion(database, id)
    })
    try {
      step.immediate()
    } catch (error) {
      throw notMigrated(path, `step ${id}, ${name}`, error)
    }
  }
  database.run('PRAGMA foreign_keys = ON')
}

const versionOf = (database: Database): number =>
  (database.query('PRAGMA user_version').get() as { readonly user_version: number }).user_version

const setVersion = (database: Database, version: number) => database.run(`PRAGMA user_version = ${version}`)
