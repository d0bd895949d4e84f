import type { Database } from '../../sqlite.ts'
import type { Settings } from '../settings.ts'
import { settingsBody, settingsState } from './settings-shelf.ts'

/** Stands for the name of the last change while there are keys or models that others never heard of. */
export const apart = 'apart'

const tables = { key: 'keys', model: 'models' } as const
const change = "'apart-' || lower(hex(randomblob(16)))"

/**
 * Notes what was made, changed and deleted while this database was used without Redis, as changes that others have not heard
 * of. To be called before anybody reads the marks.
 */
export function noticeApart(database: Database, settings: Settings, at: number): void {
  const notice = database.transaction(() => {
    const rows = Object.entries(tables).reduce((sum, [kind, table]) => sum + noticeRows(database, kind, table, at), 0)
    const lost = noticeSettings(database, settings, at) ? '' : undefined
    const name = rows > 0 ? apart : lost
    if (name !== undefined) database.run('UPDATE shared_position SET change = ?1 WHERE change <> ?2', [name, apart])
  })
  notice.immediate()
}

function noticeRows(database: Database, kind: string, table: string, at: number): number {
  const made = `
    INSERT INTO shared_rows (kind, id, version, state, at, change, origin)
    SELECT ?1, id, version, iif(enabled, 'on', 'off'), ?2, ${change}, id || '-' || created_at FROM ${table} AS own
    WHERE NOT EXISTS (SELECT 1 FROM shared_rows AS known WHERE known.kind = ?1 AND known.id = own.id)`
  const changed = `
    UPDATE shared_rows SET version = own.version, state = iif(own.enabled, 'on', 'off'), at = ?2, change = ${change} FROM ${table} AS own
    WHERE kind = ?1 AND shared_rows.id = own.id AND state <> 'gone' AND shared_rows.version <> own.version`
  const deleted = `
    UPDATE shared_rows SET version = version + 1, state = 'gone', at = ?2, change = ${change}
    WHERE kind = ?1 AND state <> 'gone' AND NOT EXISTS (SELECT 1 FROM ${table} AS own WHERE own.id = shared_rows.id)`
  return [made, changed, deleted].reduce((sum, sql) => sum + database.query<unknown, [string, number]>(sql).run(kind, at).changes, 0)
}

function noticeSettings(database: Database, settings: Settings, at: number): boolean {
  interface Known {
    readonly version: number
    readonly state: string
    readonly body: string
  }
  const known = database.query<Known, []>("SELECT version, state, body FROM shared_rows WHERE kind = 'settings'").get()
  const [state, body] = [settingsState(settings), settingsBody(settings)]
  if (known?.state === state && known.body === body) return false
  const untouched = !settings.closed && settings.adminKeySha256 === null
  const put = `INSERT OR REPLACE INTO shared_rows (kind, id, version, state, at, change, origin, body) VALUES ('settings', 0, ?, ?, ?, ${
    !known && untouched ? "'none'" : change
  }, 'settings', ?)`
  // what is set where nobody ever shared anything is older than what the others have
  const [version, since] = known ? [known.version + 1, at] : [untouched ? 0 : 1, 0]
  database.query<unknown, (string | number)[]>(put).run(version, state, since, body)
  return known !== null
}
