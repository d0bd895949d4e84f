import type { Database } from '../../sqlite.ts'
import type { ModelRecord } from '../models.ts'
import { fold } from '../page.ts'
import type { SharedRow, State } from './row.ts'
import { type Shelf, upsert } from './shelf.ts'

const columns = ['name', 'folded_name', 'backend', 'base_url', 'upstream_model', 'enabled', 'source', 'created_at', 'version']

/** The models in SQLite, as others change them. `find` reads one. */
export function modelShelf(
  database: Database,
  find: (id: number) => ModelRecord | undefined,
): Shelf & { named(name: string): number | undefined } {
  const put = database.prepare(upsert('models', columns))
  const remove = database.prepare<unknown, [number]>('DELETE FROM models WHERE id = ?')
  const named = database.prepare<{ readonly id: number }, [string]>('SELECT id FROM models WHERE name = ?')
  return {
    named: name => named.get(name)?.id,
    body(id) {
      const model = find(id)
      return model && modelBody(model)
    },
    put(id, row) {
      const { name, backend, baseUrl, upstreamModel, enabled, source, createdAt, version } = asModel(id, row)
      const others = named.all(name).flatMap(other => (other.id === id ? [] : { id: other.id, name }))
      for (const other of others) remove.run(other.id)
      put.run(id, name, fold(name), backend, baseUrl, upstreamModel, enabled ? 1 : 0, source, createdAt, version)
      return others
    },
    remove: id => void remove.run(id),
  }
}

/** What others must know of a model. */
export const modelBody = ({ id: _, version: __, ...rest }: ModelRecord): string => JSON.stringify(rest)

export const modelState = ({ enabled }: Pick<ModelRecord, 'enabled'>): State => (enabled ? 'on' : 'off')

/** The model a row tells of. */
export function asModel(id: number, { version, body }: SharedRow): ModelRecord {
  return { ...(JSON.parse(body) as Omit<ModelRecord, 'id' | 'version'>), id, version }
}
