import type { Database } from '../../sqlite.ts'
import type { KeyRecord } from '../keys.ts'
import { keyColumns, keyValues } from '../sqlite/key-row.ts'
import { keyTable } from '../sqlite/key-table.ts'
import type { SharedRow, State } from './row.ts'
import { type Displaced, type Shelf, upsert } from './shelf.ts'

/** The keys in SQLite, as others change them. */
export interface KeyShelf extends Shelf {
  find(id: number): KeyRecord | undefined
  count(): number
}

/** Prepares the statements. */
export function keyShelf(database: Database): KeyShelf {
  const table = keyTable(database)
  const put = database.prepare(upsert('keys', keyColumns))
  const inTheWay = database.prepare<Displaced, [string, number]>('SELECT id, name FROM keys WHERE sha256 = ? AND id <> ?')
  return {
    find: table.find,
    count: table.count,
    body(id) {
      const key = table.find(id)
      return key && keyBody(key)
    },
    put(id, row) {
      const key = asKey(id, row)
      const others = inTheWay.all(key.sha256, id)
      for (const other of others) table.remove(other.id)
      put.run(id, ...keyValues(key))
      return others
    },
    remove: table.remove,
  }
}

/** What others must know of a key: all but when it was used, and what the row says anyway. */
export const keyBody = ({ id: _, version: __, lastUsedAt: ___, ...rest }: KeyRecord): string => JSON.stringify(rest)

export const keyState = ({ enabled }: Pick<KeyRecord, 'enabled'>): State => (enabled ? 'on' : 'off')

/** The key a row tells of. */
export function asKey(id: number, { version, body }: SharedRow): KeyRecord {
  return { ...(JSON.parse(body) as Omit<KeyRecord, 'id' | 'version' | 'lastUsedAt'>), id, version, lastUsedAt: null }
}
