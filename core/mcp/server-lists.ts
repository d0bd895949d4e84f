import type { Connection } from './connection.ts'
import type { Limits } from './limits.ts'
import type { Listed, ListKind, Of } from './types.ts'

export const listKinds: readonly ListKind[] = ['tools', 'resources', 'resourceTemplates', 'prompts']

/** What one server has listed, kept. */
export interface ServerLists {
  get<K extends ListKind>(kind: K): readonly Of<K>[]
  /** How old they are; Infinity when there never were any. */
  ageMs(): number
  /** Asks for all of them; those that fail stay as they were. Gives back what failed, with the name of the list before it. */
  refresh(connection: Connection, limits: Limits): Promise<readonly string[]>
  put(kind: ListKind, items: readonly Listed[ListKind][]): void
  forget(): void
}

export interface ListsOptions {
  readonly server: string
  readonly steady: () => number
  /** Called when a list is not what it was. */
  readonly onChange: (kind: ListKind) => void
}

type Kept = { readonly [K in ListKind]: readonly Of<K>[] }

const nothing: Kept = { tools: [], resources: [], resourceTemplates: [], prompts: [] }

export function createLists({ server, steady, onChange }: ListsOptions): ServerLists {
  let kept = nothing
  let madeAt = Number.NEGATIVE_INFINITY

  const put: ServerLists['put'] = (kind, items) => {
    const next = items.map(item => ({ ...item, server }))
    if (JSON.stringify(next) === JSON.stringify(kept[kind])) return
    kept = { ...kept, [kind]: next }
    onChange(kind)
  }

  return {
    get: kind => kept[kind],
    ageMs: () => steady() - madeAt,
    put,
    async refresh(connection, limits) {
      const results = await Promise.allSettled(listKinds.map(async kind => put(kind, await connection.list(kind, limits))))
      madeAt = steady()
      return results.flatMap((result, at) => (result.status === 'rejected' ? [`${listKinds[at]}: ${result.reason.message}`] : []))
    },
    forget() {
      for (const kind of listKinds) put(kind, [])
    },
  }
}
