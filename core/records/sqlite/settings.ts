import type { Database } from '../../sqlite.ts'
import { auditEntries } from '../audit-entries.ts'
import type { Author } from '../page.ts'
import type { SettingRecords, Settings } from '../settings.ts'
import type { SqliteAudit } from './audit.ts'
import { createListeners } from './listeners.ts'

/** Settings in SQLite; `close` and `tell` are for whoever closes the gateway in a transaction of its own. */
export interface SqliteSettings extends SettingRecords {
  get(): Settings
  set(change: Partial<Settings>, author: Author): Settings
  /** Notes that there once was a key. */
  close(): void
  /** Tells the listeners, when something has changed since they were told last. */
  tell(): void
}

/** What the house remembers, one row each. All methods answer synchronously. */
export function sqliteSettings(database: Database, audit: SqliteAudit): SqliteSettings {
  const all = database.prepare<{ readonly name: string; readonly value: string }, []>('SELECT name, value FROM settings')
  const put = database.prepare('INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
  const remove = database.prepare('DELETE FROM settings WHERE name = ?')
  const listeners = createListeners<Settings>()

  const read = (): Settings => {
    const rows = new Map(all.all().map(({ name, value }) => [name, value]))
    return { adminKeySha256: rows.get('admin_key_sha256') ?? null, closed: rows.has('closed') }
  }
  const note = (name: string, value: string | null) => (value === null ? remove.run(name) : put.run(name, value))
  let told = read()
  const tell = () => {
    const settings = read()
    if (settings.closed === told.closed && settings.adminKeySha256 === told.adminKeySha256) return
    told = settings
    listeners.tell(settings)
  }
  const change = database.transaction(({ adminKeySha256, closed }: Partial<Settings>, author: Author) => {
    const before = read()
    if (adminKeySha256 !== undefined && adminKeySha256 !== before.adminKeySha256) {
      note('admin_key_sha256', adminKeySha256)
      audit.add(auditEntries.adminKeyChanged(author))
    }
    if (closed !== undefined && closed !== before.closed) {
      note('closed', closed ? '1' : null)
      audit.add(auditEntries.closedChanged(author, closed))
    }
  })

  return {
    get: read,
    set(wanted, author) {
      change.immediate(wanted, author)
      tell()
      return read()
    },
    onChange: listeners.add,
    close: () => {
      note('closed', '1')
    },
    tell,
  }
}
