import type { Database } from '../../sqlite.ts'
import type { Settings } from '../settings.ts'
import type { SharedRow, State } from './row.ts'
import type { Shelf } from './shelf.ts'

/** The id of the one row of settings. */
export const settingsId = 0

/** The settings in SQLite, as others change them. */
export function settingsShelf(database: Database, get: () => Settings): Shelf {
  const put = database.prepare('INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
  const remove = database.prepare<unknown, [string]>('DELETE FROM settings WHERE name = ?')
  const note = (name: string, value: string | null) => (value === null ? remove.run(name) : put.run(name, value))
  return {
    body: () => settingsBody(get()),
    put(_, row) {
      const { adminKeySha256, closed } = asSettings(row)
      note('admin_key_sha256', adminKeySha256)
      note('closed', closed ? '1' : null)
      return []
    },
    remove() {},
  }
}

export const settingsBody = ({ adminKeySha256 }: Settings): string => JSON.stringify({ adminKeySha256 })

/** A gateway that is closed is `off`, so that this wins where changes contradict each other. */
export const settingsState = ({ closed }: Settings): State => (closed ? 'off' : 'on')

/** The settings a row tells of. */
export const asSettings = ({ state, body }: SharedRow): Settings => ({
  adminKeySha256: (JSON.parse(body) as Settings).adminKeySha256,
  closed: state === 'off',
})
