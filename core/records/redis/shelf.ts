import type { SharedRow } from './row.ts'

/** A row that was in the way of another. */
export interface Displaced {
  readonly id: number
  readonly name: string
}

/** Where the rows of one kind are in SQLite: the tables that are also used without Redis. */
export interface Shelf {
  /** What others must know of a row, as JSON; undefined when there is none. */
  body(id: number): string | undefined
  /** Writes a row, and answers the others that were in its way and are gone from here. Throws when its JSON makes no sense. */
  put(id: number, row: SharedRow): readonly Displaced[]
  remove(id: number): void
}

/** The insert of a row with its id, which takes the place of the one that is there; other columns stay. */
export const upsert = (table: string, columns: readonly string[]): string => `
  INSERT INTO ${table} (id, ${columns.join(', ')}) VALUES (?, ${columns.map(() => '?').join(', ')})
  ON CONFLICT (id) DO UPDATE SET ${columns.map(column => `${column} = excluded.${column}`).join(', ')}`
