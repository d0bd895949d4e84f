import type { Gap, Named } from './gap.ts'
import { endOf, happenedIn } from './intake.ts'
import type { JoinParts } from './join.ts'
import type { SharedRow } from './row.ts'
import type { Position } from './talk.ts'

/** Rows given at once. */
const givenAtOnce = 100

/** Gives Redis what it lacks, and then the position is known. False when it has to begin anew. */
export async function giveShared(parts: JoinParts, gap: Gap, from: Position): Promise<boolean> {
  const { mirror, talk, unanswered, newId } = parts
  let at = from
  for (;;) {
    const dropped = gap.displaced.filter(({ kind, id }) => !mirror.mark(kind, id))
    if (dropped.length > 0) return tellDropped(parts, dropped)
    const some = gap.toGive(givenAtOnce)
    if (some.length === 0) break
    const writes = some.map(({ kind, id }) => ({ kind, id, row: mirror.row(kind, id) as SharedRow }))
    const answer = await talk.commit(at, newId(), writes)
    if (answer.came === 'lost') return false
    if (answer.came === 'done') {
      at = answer.position
      gap.given(some)
      continue
    }
    const { news } = answer
    gap.note(
      mirror.take(news.rows, undefined, () => {
        for (const { change, kind, id } of happenedIn(news)) unanswered.happened(change, { kind, id })
      }),
    )
    if (gap.strangers.length > 0) return false
    at = endOf(news, at)
  }
  mirror.take([], at)
  return true
}

/** What Redis knows of them itself, under other names, comes with another attempt. */
function tellDropped({ audit, log }: JoinParts, dropped: readonly Named[]): false {
  for (const { kind, id, name } of dropped) {
    audit.add({ who: 'gatehouse', what: `${kind}.drop`, subjectId: id, subjectName: name, before: null, after: null })
  }
  const names = dropped.slice(0, 20).map(({ name }) => name)
  log.warn({ names }, `${dropped.length} models of this instance were dropped, because others share models of the same names`)
  return false
}
