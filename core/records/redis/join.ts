import type { Logger } from '../../log.ts'
import type { Database } from '../../sqlite.ts'
import type { SqliteAudit } from '../sqlite/audit.ts'
import { createGap, type Joined } from './gap.ts'
import { giveShared } from './give.ts'
import type { Mirror } from './mirror.ts'
import { isNewer, type Kind, kinds, readRow, type SharedRow } from './row.ts'
import { settingsId } from './settings-shelf.ts'
import { settleStrangers } from './strangers.ts'
import type { Ids, PlacedText, Talk } from './talk.ts'
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

/** Rows read at once: taking them in holds up requests by 5 ms. */
const readAtOnce = 200
const mostAttempts = 10
/** From the third attempt on: somebody else is giving Redis more than it keeps a log of. */
const pauseMs = (attempt: number) => (attempt < 2 ? 0 : Math.min(1000, 25 * 2 ** attempt))

/**
 * Comes to agree with Redis on every row: for somebody who is new, who was away for long, or knows what Redis has lost. On
 * both sides the newer row stays. Rejects when Redis cannot be asked to the end; whatever was taken in till then is right.
 */
export async function joinShared(parts: JoinParts, joined: Joined): Promise<void> {
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    if (await joinOnce(parts, joined)) return
    await new Promise(resolve => setTimeout(resolve, pauseMs(attempt)).unref())
  }
  throw new Error('Redis forgets what it is told')
}

/** False when it has to begin anew. */
async function joinOnce(parts: JoinParts, joined: Joined): Promise<boolean> {
  const { mirror, talk, log, newId } = parts
  const arrived = await talk.arrive(mirror.position, newId(), mirror.lastIds())
  const gap = createGap(joined, log)
  for (const kind of kinds) {
    for (let first = 0; first <= lastOf(kind, arrived.ids); first += readAtOnce) {
      const rows = await talk.read(arrived.position, kind, first, first + readAtOnce - 1)
      if (rows === 'lost') return false
      if (kind === 'settings') closeTogether(parts, rows, joined)
      gap.note(mirror.take(rows, undefined, () => noteAnswered(parts, rows)))
      const there = new Set(rows.map(({ id }) => id))
      const here = mirror.ids(kind, first, first + readAtOnce - 1)
      gap.missing(here.flatMap(id => (there.has(id) ? [] : { kind, id })))
    }
  }
  if (gap.strangers.length === 0) return giveShared(parts, gap, arrived.position)
  joined.touched = true
  await settleStrangers(parts, gap.strangers, arrived)
  return false
}

/** Where one side is closed, both are: nobody may come in because the other side did not know of a key. */
function closeTogether({ mirror, now, newId }: JoinParts, [there]: readonly PlacedText[], joined: Joined): void {
  const [theirs, ours] = [there && readRow(there.text), mirror.row('settings', settingsId)]
  if (!theirs || !ours || theirs.state === ours.state) return
  const newer: SharedRow = isNewer(theirs, ours) ? theirs : ours
  if (newer.state === 'off') return
  const version = Math.max(theirs.version, ours.version) + 1
  mirror.write({ kind: 'settings', id: settingsId }, { ...newer, state: 'off', version, at: now(), change: newId() })
  joined.touched = true
}

/** Of changes that nobody answered, those that show in a row happened. */
function noteAnswered({ unanswered }: JoinParts, rows: readonly PlacedText[]): void {
  if (unanswered.count() === 0) return
  for (const place of rows) {
    const row = readRow(place.text)
    for (const change of row ? [row.origin, row.change] : []) unanswered.happened(change, place)
  }
}

const lastOf = (kind: Kind, ids: Ids) => (kind === 'settings' ? settingsId : ids[kind])
