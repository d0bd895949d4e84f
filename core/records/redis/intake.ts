import type { Logger } from '../../log.ts'
import type { Mirror, Place, Touched } from './mirror.ts'
import type { News, PlacedText, Position } from './talk.ts'
import type { Unanswered } from './unanswered.ts'

/** Who hears of rows that have changed, wherever that was. */
export interface Hearers {
  /** `all`: any of them may have. */
  tell(touched: readonly Touched[] | 'all'): void
  /** Rows that could not be written here, because the disk is full, say. */
  tellUnwritten(rows: readonly PlacedText[]): void
}

/** A change that happened, and the row it happened to. */
export interface Happened extends Place {
  readonly change: string
}

/** Takes in what was heard of Redis. */
export interface Intake {
  /** With `to` that is the position afterwards. True when ids clash: then what is here is not what Redis has. */
  take(rows: readonly PlacedText[], happened: readonly Happened[], to?: Position): boolean
}

/** Opens it: first the mirror, then the audit, then those who hear of it. */
export function openIntake(mirror: Mirror, unanswered: Unanswered, hearers: Hearers, log: Logger): Intake {
  const write = (rows: readonly PlacedText[], happened: readonly Happened[], to: Position | undefined) => {
    try {
      return mirror.take(rows, to, () => {
        for (const { change, kind, id } of happened) unanswered.happened(change, { kind, id })
      })
    } catch (error) {
      hearers.tellUnwritten(rows) // a key that was revoked is refused all the same
      throw error
    }
  }
  return {
    take(rows, happened, to) {
      const { touched, strangers, broken } = write(rows, happened, to)
      if (broken.length > 0) tellBroken(broken, log)
      if (touched.length > 0) hearers.tell(touched)
      return strangers.length > 0
    },
  }
}

/** What the changes of the news happened to. */
export const happenedIn = ({ entries }: News): Happened[] =>
  entries.flatMap(({ change, kind, id }) => (kind === 'arrival' ? [] : { change, kind, id }))

/** A change is told of by its first row: the audit of a new key says nothing of the gateway that it closes. */
export const happenedTo = (change: string, [first]: readonly Place[]): Happened[] =>
  first ? [{ change, kind: first.kind, id: first.id }] : []

/** Where somebody is who has taken the news in. */
export function endOf({ entries }: News, since: Position): Position {
  const { seq, change } = entries.at(-1) ?? since
  return { seq, change }
}

/** Rows that were passed over. */
export function tellBroken(broken: readonly Place[], log: Logger): void {
  log.error({ rows: broken.slice(0, 20).map(({ kind, id }) => `${kind}:${id}`) }, 'rows in Redis make no sense; they are passed over')
}
