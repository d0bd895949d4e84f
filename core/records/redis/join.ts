import type { Logger } from '../../log.ts'
import type { Database } from '../../sqlite.ts'
import type { SqliteAudit } from '../sqlite/audit.ts'
import type { Mirror, Place, Taken } from './mirror.ts'
import { isNewer, type Kind, kinds, readRow, type SharedRow } from './row.ts'
import { settleStrangers } from './strangers.ts'
import type { Ids, PlacedText, Position, Talk } from './talk.ts'
import type { Unanswered } from './unanswered.ts'

export interface JoinParts {
  readonly database: Database
  readonly mirror: Mirror
  readonly talk: Talk
  readonly audit: SqliteAudit
  readonly unanswered: Unanswered
  readonly log: Logger
  readonly now: () => number
  readonly newId: () => string
}

/** What came of it. */
export interface Joined {
  /** Something is here now, or gone, that was not before. */
  readonly touched: boolean
  /** Rows that Redis was given. */
  readonly given: number
}

/** Rows read at once; as a rule less than half a MB. */
const readAtOnce = 500
const givenAtOnce = 100
/** Each time something must happen at the same moment for another attempt. */
const mostAttempts = 10

/**
 * Comes to agree with Redis on every row: for somebody who is new, who was away for long, or knows what Redis has lost. On
 * both sides the newer row stays. Rejects when Redis cannot be asked to the end; whatever was taken in till then is right.
 */
export async function joinShared(parts: JoinParts): Promise<Joined> {
  const total = { touched: false, given: 0 }
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const done = await joinOnce(parts, total)
    if (done) return total
  }
  throw new Error('Redis forgets what it is told')
}

/** False when it has to begin anew. */
async function joinOnce(parts: JoinParts, total: { touched: boolean; given: number }): Promise<boolean> {
  const { mirror, talk, newId } = parts
  const arrived = await talk.arrive(mirror.position, newId(), mirror.lastIds())
  const toGive = new Map<string, Place>()
  const strangers: Place[] = []
  const note = (taken: Taken) => {
    if (taken.touched.length > 0) total.touched = true
    for (const place of taken.touched) toGive.delete(nameOf(place))
    for (const place of taken.older) toGive.set(nameOf(place), { kind: place.kind, id: place.id })
    strangers.push(...taken.strangers)
  }
  for (const kind of kinds) {
    for (let first = 0; first <= lastOf(kind, arrived.ids); first += readAtOnce) {
      const last = first + readAtOnce - 1
      const rows = await talk.read(arrived.position, kind, first, last)
      if (rows === 'lost') return false
      const known = mirror.marks(kind, first, last)
      if (kind === 'settings') closeTogether(parts, rows)
      note(mirror.take(rows, undefined, () => noteAnswered(parts, rows)))
      const there = new Set(rows.map(({ id }) => id))
      for (const id of known.keys()) if (!there.has(id)) toGive.set(nameOf({ kind, id }), { kind, id })
    }
  }
  if (strangers.length > 0) {
    total.touched = true
    await settleStrangers(parts, strangers, arrived)
    return false
  }
  return give(parts, arrived.position, toGive, note, total)
}

/** Gives Redis what it lacks, and then the position is known. */
async function give(
  { mirror, talk, unanswered, log, newId }: JoinParts,
  from: Position,
  toGive: Map<string, Place>,
  note: (taken: Taken) => void,
  total: { given: number },
): Promise<boolean> {
  let at = from
  while (toGive.size > 0) {
    const some = [...toGive.values()].slice(0, givenAtOnce)
    const writes = some.flatMap(place => {
      const row = mirror.row(place.kind, place.id)
      return row ? { ...place, row } : []
    })
    if (writes.length < some.length) {
      // its name, or its secret, is that of a row that others have; theirs stays
      log.warn({ rows: some.length - writes.length }, 'models of this instance were dropped, because others have models of the same names')
      return false
    }
    const answer = await talk.commit(at, newId(), writes)
    if (answer.came === 'lost') return false
    if (answer.came === 'done') {
      at = answer.position
      total.given += some.length
      for (const place of some) toGive.delete(nameOf(place))
      continue
    }
    const { entries, rows } = answer.news
    const taken = mirror.take(rows, undefined, () => {
      for (const { change, kind, id } of entries) if (kind !== 'arrival') unanswered.happened(change, { kind, id })
    })
    note(taken)
    if (taken.strangers.length > 0) return false
    at = entries.at(-1) ?? at
  }
  mirror.take([], { seq: at.seq, change: at.change })
  return true
}

/** Where one side is closed, both are: nobody may come in because the other side did not know of a key. */
function closeTogether({ mirror, now, newId }: JoinParts, [there]: readonly PlacedText[]): void {
  const [theirs, ours] = [there && readRow(there.text), mirror.row('settings', 0)]
  if (!theirs || !ours || theirs.state === ours.state) return
  const newer: SharedRow = isNewer(theirs, ours) ? theirs : ours
  if (newer.state === 'off') return
  const version = Math.max(theirs.version, ours.version) + 1
  mirror.write({ kind: 'settings', id: 0 }, { ...newer, state: 'off', version, at: now(), change: newId() })
}

/** Of changes that nobody answered, those that show in a row happened. */
function noteAnswered({ unanswered }: JoinParts, rows: readonly PlacedText[]): void {
  if (unanswered.count() === 0) return
  for (const place of rows) {
    const row = readRow(place.text)
    for (const change of row ? [row.origin, row.change] : []) unanswered.happened(change, place)
  }
}

const nameOf = ({ kind, id }: Place) => `${kind}:${id}`
const lastOf = (kind: Kind, ids: Ids) => (kind === 'settings' ? 0 : ids[kind])
