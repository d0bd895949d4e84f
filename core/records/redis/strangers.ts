import type { JoinParts } from './join.ts'
import type { Place } from './mirror.ts'
import { renumber } from './renumber.ts'
import { type Kind, readRow } from './row.ts'
import type { Ids, Position } from './talk.ts'

const readAtOnce = 200

/**
 * Gives rows of this instance other ids, because others have other rows under them: two databases that were used without
 * Redis before both count from 1. Rejects when Redis cannot be asked to the end; then nothing has changed.
 */
export async function settleStrangers(
  parts: JoinParts,
  strangers: readonly Place[],
  arrived: { readonly position: Position; readonly ids: Ids },
): Promise<void> {
  for (const kind of ['key', 'model'] as const) {
    const ids = strangers.flatMap(place => (place.kind === kind ? place.id : []))
    if (ids.length > 0) await settleKind(parts, kind, ids, arrived)
  }
}

async function settleKind(
  { database, mirror, talk, audit, log }: JoinParts,
  kind: Exclude<Kind, 'settings'>,
  ids: readonly number[],
  arrived: { readonly position: Position; readonly ids: Ids },
) {
  const byOrigin = new Map(ids.map(id => [mirror.mark(kind, id)?.origin, id]))
  const moves = new Map<number, number>()
  // they may have been given other ids before, and this database be a backup from before that
  for (let first = 1; first <= arrived.ids[kind]; first += readAtOnce) {
    const rows = await talk.read(arrived.position, kind, first, first + readAtOnce - 1)
    if (rows === 'lost') return
    for (const { id, text } of rows) {
      const ours = byOrigin.get(readRow(text)?.origin)
      if (ours !== undefined) moves.set(ours, id)
    }
  }
  const unknown = ids.filter(id => !moves.has(id))
  const fresh = unknown.length === 0 ? 0 : await talk.reserve(arrived.position, kind, unknown.length)
  if (fresh === 'lost') return
  for (const [at, id] of unknown.entries()) moves.set(id, fresh + at)
  const work = database.transaction(() => {
    for (const [before, after] of moves) {
      const subjectName = nameIn(mirror.row(kind, before)?.body)
      audit.add({ who: 'gatehouse', what: `${kind}.renumber`, subjectId: after, subjectName, before: { id: before }, after: { id: after } })
    }
    renumber(database, kind, moves)
  })
  work.immediate()
  log.warn(
    { kind, ids: Object.fromEntries([...moves].slice(0, 50)) },
    `${moves.size} rows of this instance have other ids now, because others share rows with theirs`,
  )
}

const nameIn = (body: string | undefined): string | null => (body ? ((JSON.parse(body) as { readonly name: string }).name ?? null) : null)
