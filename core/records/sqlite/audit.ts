import type { Database } from '../../sqlite.ts'
import type { AuditRecord, AuditRecords } from '../audit.ts'
import { cutPage } from '../page.ts'

interface AuditRow {
  readonly id: number
  readonly at: number
  readonly who: string
  readonly what: string
  readonly subject_id: number | null
  readonly subject_name: string | null
  readonly before: string | null
  readonly after: string | null
}

/** The audit in SQLite. All methods answer synchronously; `add` joins a transaction that is under way. */
export function sqliteAudit(database: Database, now: () => number) {
  const insert = database.prepare(
    'INSERT INTO audit (at, who, what, subject_id, subject_name, "before", "after") VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const page = database.prepare<AuditRow, [number, number]>('SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?')
  return {
    add({ who, what, subjectId, subjectName, before, after }) {
      insert.run(now(), who, what, subjectId, subjectName, toJson(before), toJson(after))
    },
    list: ({ after = Number.MAX_SAFE_INTEGER, limit }) => cutPage(page.all(after, limit + 1).map(toRecord), limit),
  } satisfies AuditRecords
}

/** The audit as its neighbours see it. */
export type SqliteAudit = ReturnType<typeof sqliteAudit>

const toJson = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))
const fromJson = (json: string | null): unknown => (json === null ? null : JSON.parse(json))

const toRecord = (row: AuditRow): AuditRecord => ({
  id: row.id,
  at: row.at,
  who: row.who,
  what: row.what,
  subjectId: row.subject_id,
  subjectName: row.subject_name,
  before: fromJson(row.before),
  after: fromJson(row.after),
})
