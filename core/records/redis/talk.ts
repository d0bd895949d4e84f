import type { Argument } from '../../stores/redis/connection.ts'
import type { RedisLink } from '../../stores/redis/link.ts'
import type { Script } from '../../stores/redis/script.ts'
import { type Kind, type SharedRow, writeRow } from './row.ts'
import { arriveScript, commitScript, newsScript, readScript, reserveScript, sharedHash } from './scripts.ts'

/** The last change somebody knows of: its number, and its name, which is empty when Redis does not know it any more. */
export interface Position {
  readonly seq: number
  readonly change: string
}

/** A row and where it is. `text` is what Redis has. */
export interface PlacedText {
  readonly kind: Kind
  readonly id: number
  readonly text: string
}

/** A change and what it was done to. */
export interface Entry extends Position {
  readonly kind: Kind | 'arrival'
  readonly id: number
}

/** What was changed since a position, the earliest first, and the rows as they are now. */
export interface News {
  readonly entries: readonly Entry[]
  readonly rows: readonly PlacedText[]
}

/** A row to be written; without an id it is given one. */
export interface Write {
  readonly kind: Kind
  readonly id?: number
  readonly row: SharedRow
}

/** Ids that were given last. */
export type Ids = Readonly<Record<'key' | 'model', number>>

export type CommitAnswer =
  | { readonly came: 'done'; readonly position: Position; readonly ids: readonly number[] }
  /** Others were quicker; nothing happened. */
  | { readonly came: 'news'; readonly news: News }
  | { readonly came: 'lost' }

/** The conversation of an instance with Redis. All reject when Redis cannot be asked. `lost`: Redis does not know the position. */
export interface Talk {
  news(since: Position): Promise<News | 'lost'>
  commit(since: Position, change: string, writes: readonly Write[]): Promise<CommitAnswer>
  arrive(last: Position, change: string, ids: Ids): Promise<{ readonly position: Position; readonly ids: Ids }>
  /** The rows from one id to another. */
  read(at: Position, kind: Kind, first: number, last: number): Promise<readonly PlacedText[] | 'lost'>
  /** The first of so many new ids. */
  reserve(at: Position, kind: Kind, count: number): Promise<number | 'lost'>
}

/** So many changes are told at once: 200 large rows are less than 1 MB. */
export const mostNews = 200
/** Left out after a loss: more than others can have made in the second before without being heard. */
const idStep = 1000

/** Opens it. */
export function openTalk(link: RedisLink): Talk {
  const ask = async (script: Script, { seq, change }: Position, ...args: readonly Argument[]) =>
    (await link.run(script, [sharedHash], [seq, change, ...args])) as readonly [number, ...(readonly unknown[])]
  return {
    async news(since) {
      const [code, entries, rows] = await ask(newsScript, since, mostNews)
      return code < 0 ? 'lost' : asNews(entries, rows)
    },
    async commit(since, change, writes) {
      const rows = writes.flatMap(({ kind, id = '', row }) => [kind, id, writeRow(row)])
      const [code, first, second] = await ask(commitScript, since, change, mostNews, ...rows)
      if (code < 0) return { came: 'lost' }
      if (code === 0) return { came: 'news', news: asNews(first, second) }
      return { came: 'done', position: { seq: first as number, change }, ids: second as readonly number[] }
    },
    async arrive(last, change, { key, model }) {
      const [seq, ...ids] = await ask(arriveScript, last, change, idStep, key, model)
      return { position: { seq, change }, ids: { key: ids[0] as number, model: ids[1] as number } }
    },
    async read(at, kind, first, last) {
      const [code, rows] = await ask(readScript, at, kind, first, last)
      return code < 0 ? 'lost' : inGroups(rows, 2).map(([id, text]) => ({ kind, id: Number(id), text: String(text) }))
    },
    async reserve(at, kind, count) {
      const [first] = await ask(reserveScript, at, kind, count)
      return first < 0 ? 'lost' : first
    },
  }
}

const asNews = (entries: unknown, rows: unknown): News => ({
  entries: (entries as readonly Buffer[]).map(entry => {
    const [seq, change = '', kind, id] = String(entry).split(' ')
    return { seq: Number(seq), change, kind: kind as Entry['kind'], id: Number(id) }
  }),
  rows: inGroups(rows, 3).map(([kind, id, text]) => ({ kind: String(kind) as Kind, id: Number(id), text: String(text) })),
})

function inGroups(list: unknown, size: number): (readonly unknown[])[] {
  const all = list as readonly unknown[]
  return Array.from({ length: all.length / size }, (_, at) => all.slice(at * size, (at + 1) * size))
}
