import { type Database, sqliteCode } from '../../sqlite.ts'
import { auditEntries, changeModel } from '../audit-entries.ts'
import type { Changed } from '../keys.ts'
import type { ModelRecord, ModelRecords } from '../models.ts'
import { type Author, cutPage, fold } from '../page.ts'
import type { SqliteAudit } from './audit.ts'
import { createListeners } from './listeners.ts'

interface ModelRow {
  readonly id: number
  readonly name: string
  readonly backend: string
  readonly base_url: string | null
  readonly upstream_model: string | null
  readonly enabled: number
  readonly source: string
  readonly created_at: number
  readonly version: number
}

const columns = ['name', 'folded_name', 'backend', 'base_url', 'upstream_model', 'enabled', 'source', 'created_at', 'version']
const partSize = 1000

/** Models in SQLite. All methods answer synchronously. */
export function sqliteModels(database: Database, { audit, now }: { readonly audit: SqliteAudit; readonly now: () => number }) {
  const get = database.prepare<ModelRow, [number]>('SELECT * FROM models WHERE id = ?')
  const page = database.prepare<ModelRow, [string, number, number]>(
    'SELECT * FROM models WHERE instr(folded_name, ?1) > 0 AND id > ?2 ORDER BY id LIMIT ?3',
  )
  const count = database.prepare<{ readonly total: number }, [string]>(
    'SELECT count(*) AS total FROM models WHERE instr(folded_name, ?) > 0',
  )
  const insert = database.prepare<ModelRow, (string | number | null)[]>(
    `INSERT INTO models (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')}) RETURNING *`,
  )
  const write = database.prepare(`UPDATE models SET ${columns.map(column => `${column} = ?`).join(', ')} WHERE id = ?`)
  const remove = database.prepare('DELETE FROM models WHERE id = ?')
  const listeners = createListeners<void>()

  const change = (work: (model: ModelRecord) => void) =>
    database.transaction((id: number, version: number | undefined): Changed<ModelRecord> => {
      const row = get.get(id)
      if (!row) return 'missing'
      if (version !== undefined && version !== row.version) return 'conflict'
      const before = read(row)
      work(before)
      return before
    })
  const make = database.transaction((model: Omit<ModelRecord, 'id'>, author: Author): ModelRecord => {
    const made = read(insert.get(...values(model)) as ModelRow)
    audit.add(auditEntries.modelCreated(made, author))
    return made
  })

  return {
    get(id) {
      const row = get.get(id)
      return row ? read(row) : undefined
    },
    list({ after = 0, limit, search = '' }) {
      const folded = fold(search)
      return { ...cutPage(page.all(folded, after, limit + 1).map(read), limit), total: count.get(folded)?.total ?? 0 }
    },
    async *all() {
      let after = 0
      for (;;) {
        const part = page.all('', after, partSize).map(read)
        if (part.length === 0) return
        yield part
        after = part.at(-1)?.id as number
      }
    },
    create(settings, source, author) {
      const made = unlessTaken(() => make.immediate({ ...settings, source, createdAt: now(), version: 1 }, author))
      if (made !== 'taken') listeners.tell()
      return made
    },
    update(id, wanted, author, version) {
      let after: ModelRecord | undefined
      const work = change(before => {
        const changed = changeModel(before, wanted)
        if (changed === before) return
        after = { ...changed, version: before.version + 1 }
        write.run(...values(after), id)
        audit.add(auditEntries.modelUpdated(before, after, author))
      })
      const result = unlessTaken(() => work.immediate(id, version))
      if (typeof result === 'string' || !after) return result
      listeners.tell()
      return after
    },
    delete(id, author, version) {
      const work = change(before => {
        remove.run(id)
        audit.add(auditEntries.modelDeleted(before, author))
      })
      const result = work.immediate(id, version)
      if (typeof result === 'object') listeners.tell()
      return result
    },
    onChange: listeners.add,
  } satisfies ModelRecords
}

const values = ({ name, backend, baseUrl, upstreamModel, enabled, source, createdAt, version }: Omit<ModelRecord, 'id'>) =>
  [name, fold(name), backend, baseUrl, upstreamModel, enabled ? 1 : 0, source, createdAt, version] as const

const read = (row: ModelRow): ModelRecord => ({
  id: row.id,
  name: row.name,
  backend: row.backend,
  baseUrl: row.base_url,
  upstreamModel: row.upstream_model,
  enabled: row.enabled === 1,
  source: row.source as ModelRecord['source'],
  createdAt: row.created_at,
  version: row.version,
})

function unlessTaken<T>(work: () => T): T | 'taken' {
  try {
    return work()
  } catch (error) {
    if (sqliteCode(error) === 'SQLITE_CONSTRAINT_UNIQUE') return 'taken'
    throw error
  }
}
