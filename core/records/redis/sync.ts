import type { RedisLink } from '../../stores/redis/link.ts'
import { RedisUnusable, replyCode } from '../../stores/redis/reasons.ts'
import { unavailable } from '../../stores/redis/unavailable.ts'
import type { AuditEntry } from '../audit.ts'
import { endOf, type Happened, type Hearers, happenedIn, openIntake } from './intake.ts'
import { type JoinParts, joinShared } from './join.ts'
import type { Place } from './mirror.ts'
import { writeRow } from './row.ts'
import type { News, Position, Write } from './talk.ts'

/** A change to be made in Redis, on top of all that is known. */
export interface Commit {
  readonly change: string
  readonly writes: readonly Write[]
  /** For the audit of this instance. */
  readonly entries: readonly AuditEntry[]
}

/** Keeps the mirror and Redis the same. */
export interface Sync {
  /** False before the first time that all is known, and from the moment in which Redis lost something until it has it again. */
  readonly inStep: boolean
  /** Brings the mirror up to what Redis has now, as far as that can be done. */
  refresh(): Promise<void>
  /** The same; true when there was something new. Throws a 503 when it cannot be done. */
  check(): Promise<boolean>
  /** Makes a change and answers the ids. Undefined: others were quicker, and the mirror knows now. Throws a 503 when it cannot be made. */
  commit(commit: Commit): Promise<readonly number[] | undefined>
  /** Looks for news now. Resolves when it has looked. */
  wake(): Promise<void>
  close(): void
}

export interface SyncParts extends JoinParts {
  readonly link: RedisLink
  readonly hearers: Hearers
  readonly pollMs: number
}

/** Begins to keep them so. */
export function startSync(parts: SyncParts): Sync {
  const { link, mirror, talk, unanswered, hearers, log, pollMs } = parts
  const intake = openIntake(mirror, unanswered, hearers, log)
  let inStep = mirror.position.seq > 0 && mirror.position.change !== ''
  let looking: Promise<void> | undefined
  let again = false
  let closed = false
  let complained = ''

  /** Redis does not know the position, unless it is another one by now. */
  const lose = (since: Position) => {
    if (mirror.position !== since) return
    inStep = false
    mirror.lose()
    void wake()
  }
  /** What was asked for from a position that is no longer ours is asked for again. */
  const takeNews = (news: News, since: Position) => {
    if (mirror.position === since && intake.take(news.rows, happenedIn(news), endOf(news, since))) lose(mirror.position)
  }
  const pull = async (): Promise<boolean> => {
    for (let any = false; ; any = true) {
      const since = mirror.position
      const news = await talk.news(since)
      if (closed) return any
      if (news === 'lost') lose(since)
      else if (news.entries.length === 0) return any
      else takeNews(news, since)
      if (!inStep) return true
    }
  }
  const join = async () => {
    const { touched, given } = await joinShared(parts)
    if (closed) return
    inStep = true
    log.info(
      { given },
      given > 0 ? 'Redis was given keys, models and settings that it did not have' : 'keys, models and settings are those in Redis',
    )
    hearers.tell(touched ? 'all' : [])
  }
  const look = async () => {
    do {
      again = false
      if (closed || link.state === 'down') return
      if (inStep) await pull()
      if (!inStep && !closed) await join()
      complained = ''
    } while (again)
  }
  const complain = (error: unknown) => {
    if (closed || error instanceof RedisUnusable || replyCode(error) !== undefined) return // the link says so
    if (String(error) !== complained) log.error({ err: error }, 'what others changed could not be taken in; it is tried again')
    complained = String(error)
  }
  const wake = (): Promise<void> => {
    again = true
    looking ??= look()
      .catch(complain)
      .finally(() => {
        looking = undefined
      })
    return looking
  }
  const demand = () => {
    if (closed || !inStep || link.state === 'down') throw unavailable()
  }
  const orUnavailable = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch(cause => {
      throw unavailable(cause)
    })
  const poll = setInterval(wake, pollMs).unref()

  return {
    get inStep() {
      return inStep
    },
    wake,
    async refresh() {
      if (inStep && link.state === 'up') await pull().catch(complain)
    },
    async check() {
      demand()
      const any = await orUnavailable(pull())
      demand()
      return any
    },
    async commit({ change, writes, entries }) {
      demand()
      const since = mirror.position
      unanswered.note(change, entries)
      const answer = await orUnavailable(talk.commit(since, change, writes))
      if (closed) throw unavailable()
      if (answer.came === 'done') {
        const rows = writes.map(({ kind, row }, at) => ({ kind, id: answer.ids[at] as number, text: writeRow(row) }))
        try {
          intake.take(rows, happenedTo(change, rows), mirror.position === since ? answer.position : undefined)
        } catch (error) {
          complain(error) // it has happened, and is taken in as others do as soon as that can be
        }
        return answer.ids
      }
      unanswered.forget(change)
      if (answer.came === 'lost') lose(since)
      else takeNews(answer.news, since)
      return undefined
    },
    close() {
      closed = true
      clearInterval(poll)
    },
  }
}

/** A change is told of by its first row: the audit of a new key says nothing of the gateway that it closes. */
const happenedTo = (change: string, [first]: readonly Place[]): Happened[] => (first ? [{ change, kind: first.kind, id: first.id }] : [])
