import type { RedisLink } from '../../stores/redis/link.ts'
import { RedisUnusable, replyCode } from '../../stores/redis/reasons.ts'
import { unavailable } from '../../stores/redis/unavailable.ts'
import { within } from '../../within.ts'
import type { Commit } from './changes.ts'
import { endOf, type Hearers, happenedIn, happenedTo, openIntake } from './intake.ts'
import { type JoinParts, joinShared } from './join.ts'
import { writeRow } from './row.ts'
import type { News, Position } from './talk.ts'

/** Keeps the mirror and Redis the same. */
export interface Sync {
  /** Brings the mirror up to what Redis has now, as far as that can be done. */
  refresh(): Promise<void>
  /** Waits a moment for the mirror to agree with Redis. Throws a 503 when it does not. */
  ready(): Promise<void>
  /** Brings the mirror up to what Redis has now. Throws a 503 when that cannot be done. */
  pull(): Promise<void>
  /**
   * Makes a change on top of what the mirror has at this very moment, and answers the ids. Undefined: others were quicker, and
   * the mirror knows now. Throws a 503 when it cannot be made.
   */
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

/** So long a change waits while Redis is given what it has lost. */
const mostWaitMs = 200

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
  const pull = async (): Promise<void> => {
    while (inStep && !closed) {
      const since = mirror.position
      const news = await talk.news(since)
      if (closed) return
      if (news === 'lost') lose(since)
      else if (news.entries.length === 0) return
      else takeNews(news, since)
    }
  }
  const join = async () => {
    const joined = { touched: false, given: 0 }
    try {
      await joinShared(parts, joined)
      inStep = true
      log.info({ given: joined.given }, 'keys, models and settings are shared through Redis')
    } finally {
      if (!closed) hearers.tell(joined.touched ? 'all' : [])
    }
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
    wake,
    async refresh() {
      if (inStep && link.state === 'up') await pull().catch(complain)
    },
    async ready() {
      if (!closed && !inStep && link.state === 'up') await within(mostWaitMs, wake())
      demand()
    },
    pull: () => orUnavailable(pull()),
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
