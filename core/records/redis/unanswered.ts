import type { Database } from '../../sqlite.ts'
import type { AuditEntry } from '../audit.ts'
import type { SqliteAudit } from '../sqlite/audit.ts'
import type { Place } from './mirror.ts'

/**
 * Changes that were sent and are not answered. Whether they happened may only be known later, also after a kill: the audit
 * hears of them then.
 */
export interface Unanswered {
  count(): number
  /** Notes what the audit says of a change if it happens. */
  note(change: string, entries: readonly AuditEntry[]): void
  /** It happened, and to this row. Joins a transaction that is under way. */
  happened(change: string, place: Place): void
  /** It did not. */
  forget(change: string): void
}

/** After so long it did not happen, or nobody can say any more. */
const keptMs = 3_600_000

/** Goes on with those of the last process. */
export function openUnanswered(database: Database, audit: SqliteAudit, now: () => number): Unanswered {
  const put = database.prepare('INSERT OR REPLACE INTO shared_unanswered VALUES (?, ?, ?)')
  const find = database.prepare<{ readonly entries: string }, [string]>('SELECT entries FROM shared_unanswered WHERE change = ?')
  const remove = database.prepare<unknown, [string]>('DELETE FROM shared_unanswered WHERE change = ?')
  const count = database.prepare<{ readonly total: number }, []>('SELECT count(*) AS total FROM shared_unanswered')
  database.query<unknown, [number]>('DELETE FROM shared_unanswered WHERE at < ?').run(now() - keptMs)
  return {
    count: () => count.get()?.total ?? 0,
    note: (change, entries) => void put.run(change, now(), JSON.stringify(entries)),
    happened(change, { kind, id }) {
      const found = find.get(change)
      if (!found) return
      for (const entry of JSON.parse(found.entries) as readonly AuditEntry[]) {
        audit.add(kind === 'settings' ? entry : { ...entry, subjectId: entry.subjectId ?? id }) // what was made has its id only now
      }
      remove.run(change)
    },
    forget: change => void remove.run(change),
  }
}
