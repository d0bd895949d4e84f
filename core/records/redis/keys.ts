import { auditEntries, changeKey } from '../audit-entries.ts'
import type { Changed, KeyChange, KeyRecord, KeyRecords } from '../keys.ts'
import { newKey } from '../sqlite/key-row.ts'
import { createListeners } from '../sqlite/listeners.ts'
import type { Change, Plan } from './changes.ts'
import { asKey, type KeyShelf, keyBody, keyState } from './key-shelf.ts'
import type { LastUse } from './last-use.ts'
import type { Mirror, Touched } from './mirror.ts'
import { readRow, type SharedRow } from './row.ts'
import type { SharedSettings } from './settings.ts'
import type { Sync } from './sync.ts'
import type { PlacedText } from './talk.ts'

export interface SharedKeysParts {
  /** Reads them. */
  readonly local: KeyRecords
  readonly shelf: KeyShelf
  readonly mirror: Mirror
  readonly sync: Pick<Sync, 'refresh'>
  readonly change: Change
  readonly settings: SharedSettings
  readonly lastUse: LastUse
  readonly now: () => number
  readonly newId: () => string
}

/** Keys that all instances share. */
export interface SharedKeys extends KeyRecords {
  /** Tells the listeners of keys that have changed; `all`: any may have. */
  tell(touched: readonly Touched[] | 'all'): void
  tellUnwritten(rows: readonly PlacedText[]): void
}

/** Reads keys of the mirror, after a look at what is new, and changes them in Redis. */
export function sharedKeys({ local, shelf, mirror, sync, change, settings, lastUse, now, newId }: SharedKeysParts): SharedKeys {
  const listeners = createListeners<KeyChange>()

  const rowOf = (key: Omit<KeyRecord, 'id'>, name: string, origin: string): SharedRow => ({
    version: key.version,
    state: keyState(key),
    at: now(),
    change: name,
    origin,
    body: keyBody({ ...key, id: 0 }),
  })
  /** A change of a key that is there and has the version expected of it; undefined when the change changes nothing. */
  const plan = (id: number, version: number | undefined, work: (key: KeyRecord, name: string) => Plan<Changed<KeyRecord>> | undefined) =>
    change((): Plan<Changed<KeyRecord>> => {
      const key = shelf.find(id)
      if (!key) return { result: 'missing' }
      if (version !== undefined && version !== key.version) return { result: 'conflict' }
      return work(key, newId()) ?? { result: key }
    })
  const origin = (id: number) => mirror.mark('key', id)?.origin as string
  const write = (after: KeyRecord, name: string, entry: ReturnType<typeof auditEntries.keyUpdated>): Plan<KeyRecord> => ({
    change: name,
    writes: [{ kind: 'key', id: after.id, row: rowOf(after, name, origin(after.id)) }],
    entries: [entry],
    done: () => after,
  })

  return {
    async get(id) {
      await sync.refresh()
      const key = shelf.find(id)
      return key && (await lastUse.newest([key]))[0]
    },
    async list(page) {
      await sync.refresh()
      const { rows, next, total } = await local.list(page)
      return { rows: await lastUse.newest(rows), next, total: page.search ? total : shelf.count() }
    },
    all: () => local.all(),
    create: (wanted, secret, author) =>
      change(() => {
        const name = newId()
        const key = newKey(wanted, secret, now())
        const { subjectId: _, ...entry } = auditEntries.keyCreated({ ...key, id: 0 }, author)
        return {
          change: name,
          writes: [{ kind: 'key', row: rowOf(key, name, name) }, ...settings.closing(name)],
          entries: [{ ...entry, subjectId: null }],
          done: ([id]) => ({ ...key, id: id as number }),
        }
      }),
    update: (id, wanted, author, version) =>
      plan(id, version, (before, name) => {
        const changed = changeKey(before, wanted)
        if (changed === before) return
        const after = { ...changed, version: before.version + 1 }
        return write(after, name, auditEntries.keyUpdated(before, after, author))
      }),
    rotate: (id, { sha256, prefix }, graceUntil, author, version) =>
      plan(id, version, (before, name) => {
        const previousSha256 = graceUntil === null ? null : before.sha256
        const after = { ...before, sha256, prefix, previousSha256, graceUntil, version: before.version + 1 }
        return write(after, name, auditEntries.keyRotated(before, after, author))
      }),
    delete: (id, author, version) =>
      plan(id, version, (before, name) => {
        const row: SharedRow = { version: before.version + 1, state: 'gone', at: now(), change: name, origin: origin(id), body: '' }
        return { change: name, writes: [{ kind: 'key', id, row }], entries: [auditEntries.keyDeleted(before, author)], done: () => before }
      }),
    used: lastUse.note,
    onChange: listeners.add,
    tell(touched) {
      if (touched === 'all') return listeners.tell({ kind: 'all' })
      for (const { id, sameVersion } of touched) {
        const key = shelf.find(id)
        // who has a key of this version takes it for the same
        if (!key || sameVersion) listeners.tell({ kind: 'delete', id })
        if (key) listeners.tell({ kind: 'put', key })
      }
    },
    tellUnwritten(rows) {
      for (const { kind, id, text } of rows) {
        const row = readRow(text)
        if (kind !== 'key' || !row) continue
        listeners.tell(row.state === 'gone' ? { kind: 'delete', id } : { kind: 'put', key: asKey(id, row) })
      }
    },
  }
}
