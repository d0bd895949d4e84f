import type { Database } from '../../sqlite.ts'
import { auditEntries, changeKey } from '../audit-entries.ts'
import type { Changed, KeyChange, KeyRecord, KeyRecords } from '../keys.ts'
import { type Author, cutPage } from '../page.ts'
import type { SqliteAudit } from './audit.ts'
import { newKey } from './key-row.ts'
import { keySearch } from './key-search.ts'
import { keyTable } from './key-table.ts'
import { createListeners } from './listeners.ts'
import type { SqliteSettings } from './settings.ts'

/** What keys need of their neighbours: whatever they change too happens in the same transaction. */
export interface KeyNeighbours {
  readonly audit: SqliteAudit
  readonly settings: SqliteSettings
  readonly now: () => number
}

/** The parts in which all keys are read. */
const partSize = 1000

/** Keys in SQLite. All but a search answers synchronously. */
export function sqliteKeys(database: Database, { audit, settings, now }: KeyNeighbours) {
  const table = keyTable(database)
  const findIds = keySearch(database)
  const listeners = createListeners<KeyChange>()
  // counting 100,000 takes 2 ms, and nobody else writes
  let total = table.count()

  /** Does a change to a key that is there and has the version expected of it. */
  const change = (work: (key: KeyRecord) => KeyRecord) =>
    database.transaction((id: number, version: number | undefined): { before?: KeyRecord; result: Changed<KeyRecord> } => {
      const before = table.find(id)
      if (!before) return { result: 'missing' }
      if (version !== undefined && version !== before.version) return { result: 'conflict' }
      return { before, result: work(before) }
    })
  const makeKey = database.transaction((key: Omit<KeyRecord, 'id'>, author: Author): KeyRecord => {
    const made = table.insert(key)
    settings.close()
    audit.add(auditEntries.keyCreated(made, author))
    return made
  })
  const noteUse = database.transaction((times: ReadonlyMap<number, number>) => {
    for (const [id, at] of times) table.use(id, at)
  })
  const tell = ({ before, result }: { readonly before?: KeyRecord; readonly result: Changed<KeyRecord> }) => {
    if (typeof result === 'object' && result !== before) listeners.tell({ kind: 'put', key: result })
    return result
  }

  const searched = async (search: string, after: number, limit: number) => {
    const found = await findIds(search, after, limit + 1)
    // one may have been deleted since it was found
    const rows = found.ids.slice(0, limit).flatMap(id => table.find(id) ?? [])
    return { rows, next: found.ids.length > limit ? (found.ids[limit - 1] as number) : null, total: found.total }
  }

  return {
    get: table.find,
    list({ after = 0, limit, search = '' }) {
      if (search !== '') return searched(search, after, limit)
      return { ...cutPage(table.behind(after, limit + 1), limit), total }
    },
    async *all() {
      let after = 0
      for (;;) {
        const part = table.behind(after, partSize)
        if (part.length === 0) return
        yield part
        after = part.at(-1)?.id as number
      }
    },
    create(wanted, secret, author) {
      const key = makeKey.immediate(newKey(wanted, secret, now()), author)
      total++
      settings.tell()
      listeners.tell({ kind: 'put', key })
      return key
    },
    update(id, wanted, author, version) {
      const work = change(before => {
        const after = changeKey(before, wanted)
        if (after === before) return before
        audit.add(auditEntries.keyUpdated(before, after, author))
        return table.write({ ...after, version: before.version + 1 })
      })
      return tell(work.immediate(id, version))
    },
    rotate(id, { sha256, prefix }, graceUntil, author, version) {
      const work = change(before => {
        const previousSha256 = graceUntil === null ? null : before.sha256
        const after = { ...before, sha256, prefix, previousSha256, graceUntil, version: before.version + 1 }
        audit.add(auditEntries.keyRotated(before, after, author))
        return table.write(after)
      })
      return tell(work.immediate(id, version))
    },
    delete(id, author, version) {
      const work = change(before => {
        table.remove(id)
        audit.add(auditEntries.keyDeleted(before, author))
        return before
      })
      const { result } = work.immediate(id, version)
      if (typeof result === 'string') return result
      total--
      listeners.tell({ kind: 'delete', id })
      return result
    },
    used: times => noteUse.immediate(times),
    onChange: listeners.add,
  } satisfies KeyRecords
}
