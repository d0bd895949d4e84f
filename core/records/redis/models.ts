import { auditEntries, changeModel } from '../audit-entries.ts'
import type { ModelRecord, ModelRecords } from '../models.ts'
import { createListeners } from '../sqlite/listeners.ts'
import type { sqliteModels } from '../sqlite/models.ts'
import type { Change, Plan } from './changes.ts'
import type { Mirror } from './mirror.ts'
import { modelBody, modelState } from './model-shelf.ts'
import type { SharedRow } from './row.ts'
import type { Sync } from './sync.ts'

export interface SharedModelsParts {
  /** Reads them. */
  readonly local: ReturnType<typeof sqliteModels>
  readonly named: (name: string) => number | undefined
  readonly mirror: Mirror
  readonly sync: Pick<Sync, 'refresh'>
  readonly change: Change
  readonly now: () => number
  readonly newId: () => string
}

/** Models that all instances share. */
export interface SharedModels extends ModelRecords {
  /** Tells the listeners that some have changed. */
  tell(): void
}

/** Reads models of the mirror, after a look at what is new, and changes them in Redis. */
export function sharedModels({ local, named, mirror, sync, change, now, newId }: SharedModelsParts): SharedModels {
  const listeners = createListeners<void>()

  const rowOf = (model: Omit<ModelRecord, 'id'>, name: string, origin: string): SharedRow => ({
    version: model.version,
    state: modelState(model),
    at: now(),
    change: name,
    origin,
    body: modelBody({ ...model, id: 0 }),
  })
  const isTaken = (name: string, id?: number) => ![undefined, id].includes(named(name))
  const plan = <T>(id: number, version: number | undefined, work: (model: ModelRecord, name: string, origin: string) => Plan<T>) =>
    change((): Plan<T | 'missing' | 'conflict'> => {
      const model = local.get(id)
      if (!model) return { result: 'missing' }
      if (version !== undefined && version !== model.version) return { result: 'conflict' }
      return work(model, newId(), mirror.mark('model', id)?.origin as string)
    })

  return {
    async get(id) {
      await sync.refresh()
      return local.get(id)
    },
    async list(page) {
      await sync.refresh()
      return local.list(page)
    },
    all: () => local.all(),
    create: (settings, source, author) =>
      change((): Plan<ModelRecord | 'taken'> => {
        if (isTaken(settings.name)) return { result: 'taken' }
        const name = newId()
        const model = { ...settings, source, createdAt: now(), version: 1 }
        return {
          change: name,
          writes: [{ kind: 'model', row: rowOf(model, name, name) }],
          entries: [{ ...auditEntries.modelCreated({ ...model, id: 0 }, author), subjectId: null }],
          done: ([id]) => ({ ...model, id: id as number }),
        }
      }),
    update: (id, wanted, author, version) =>
      plan(id, version, (before, name, origin): Plan<ModelRecord | 'taken'> => {
        const changed = changeModel(before, wanted)
        if (changed === before) return { result: before }
        if (isTaken(changed.name, id)) return { result: 'taken' }
        const after = { ...changed, version: before.version + 1 }
        return {
          change: name,
          writes: [{ kind: 'model', id, row: rowOf(after, name, origin) }],
          entries: [auditEntries.modelUpdated(before, after, author)],
          done: () => after,
        }
      }),
    delete: (id, author, version) =>
      plan(id, version, (before, name, origin) => {
        const row: SharedRow = { version: before.version + 1, state: 'gone', at: now(), change: name, origin, body: '' }
        return {
          change: name,
          writes: [{ kind: 'model', id, row }],
          entries: [auditEntries.modelDeleted(before, author)],
          done: () => before,
        }
      }),
    onChange: listeners.add,
    tell: () => listeners.tell(),
  }
}
