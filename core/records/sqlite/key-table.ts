import type { Database } from '../../sqlite.ts'
import type { KeyRecord } from '../keys.ts'
import { createKeyReader, type KeyRow, keyColumns, keyValues } from './key-row.ts'

/** The statements for keys, made once. */
export interface KeyTable {
  find(id: number): KeyRecord | undefined
  /** By ascending id. */
  behind(id: number, most: number): KeyRecord[]
  count(): number
  insert(key: Omit<KeyRecord, 'id'>): KeyRecord
  write(key: KeyRecord): KeyRecord
  remove(id: number): void
  use(id: number, at: number): void
}

/** Prepares them. */
export function keyTable(database: Database): KeyTable {
  const one = database.prepare<KeyRow, [number]>('SELECT * FROM keys WHERE id = ?')
  const some = database.prepare<KeyRow, [number, number]>('SELECT * FROM keys WHERE id > ? ORDER BY id LIMIT ?')
  const count = database.prepare<{ readonly total: number }, []>('SELECT count(*) AS total FROM keys')
  const insert = database.prepare<KeyRow, (string | number | null)[]>(
    `INSERT INTO keys (${keyColumns.join(', ')}) VALUES (${keyColumns.map(() => '?').join(', ')}) RETURNING *`,
  )
  const write = database.prepare(`UPDATE keys SET ${keyColumns.map(column => `${column} = ?`).join(', ')} WHERE id = ?`)
  const remove = database.prepare('DELETE FROM keys WHERE id = ?')
  const use = database.prepare('UPDATE keys SET last_used_at = ?1 WHERE id = ?2 AND (last_used_at IS NULL OR last_used_at < ?1)')
  const read = createKeyReader()
  return {
    find(id) {
      const row = one.get(id)
      return row ? read(row) : undefined
    },
    behind: (id, most) => some.all(id, most).map(read),
    count: () => count.get()?.total ?? 0,
    insert: key => read(insert.get(...keyValues(key)) as KeyRow),
    write(key) {
      write.run(...keyValues(key), key.id)
      return key
    },
    remove: id => void remove.run(id),
    use: (id, at) => void use.run(at, id),
  }
}
