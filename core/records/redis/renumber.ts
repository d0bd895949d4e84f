import type { Database } from '../../sqlite.ts'
import type { Kind } from './row.ts'

/** Tables that tell of a key by its id, each with a column `key_id`. */
const ofKeys = ['usage', 'ledger_spent', 'ledger_open', 'ledger_seen']

/**
 * Gives rows other ids, and what this instance knows of their usage and spending with them. The audit keeps the old ones: it
 * says what was true then. To be called in a transaction, and before anybody keeps such ids in memory.
 */
export function renumber(database: Database, kind: Exclude<Kind, 'settings'>, moves: ReadonlyMap<number, number>): void {
  const table = kind === 'key' ? 'keys' : 'models'
  const move = (from: number, to: number) => {
    database.query(`UPDATE ${table} SET id = ?2 WHERE id = ?1`).run(from, to)
    database.query('UPDATE shared_rows SET id = ?2 WHERE kind = ?3 AND id = ?1').run(from, to, kind)
    if (kind === 'key')
      for (const name of ofKeys) database.query(`UPDATE OR IGNORE ${name} SET key_id = ?2 WHERE key_id = ?1`).run(from, to)
  }
  const clear = (id: number) => {
    database.query(`DELETE FROM ${table} WHERE id = ?`).run(id)
    database.query('DELETE FROM shared_rows WHERE kind = ? AND id = ?').run(kind, id)
  }
  // below zero nobody is in the way, also when they take each other's places
  for (const from of moves.keys()) move(from, -from)
  for (const [from, to] of moves) {
    clear(to)
    move(-from, to)
  }
}
