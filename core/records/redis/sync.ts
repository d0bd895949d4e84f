import type { Logger } from '../../log.ts'
import type { RedisLink } from '../../stores/redis/link.ts'
import { RedisUnusable, replyCode } from '../../stores/redis/reasons.ts'
import { unavailable } from '../../stores/redis/unavailable.ts'
import type { AuditEntry } from '../audit.ts'
import { type JoinParts, joinShared } from './join.ts'
import type { Place } from './mirror.ts'
import type { PlacedText, Position, Write } from './talk.ts'

/** A change to be made in Redis, on top of all that is known. */
export interface Commit {
  readonly change: string
  readonly writes: readonly Write[]
  /** For the audit of this instance. */
  readonly entries: readonly AuditEntry[]
}

/** Keeps the mirror and Redis the same. */
export interface Sync {
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
  readonly pollMs: number
  /** Rows have changed. `all`: any of them may have. */
  readonly tell: (touched: readonly Place[] | 'all') => void
  /** The same, when they could not be written here. */
  readonly tellUnwritten: (rows: readonly PlacedText[]) => void
}

/** Begins to keep them so. */
export function startSync(parts: SyncParts): Sync {
  const { link, mirror, talk, unanswered, log, pollMs, tell, tellUnwritten } = parts
  let inStep = mirror.position.change !== ''
  let looking: Promise<void> | undefined
  let again = false
  let closed = false
  let complained = ''

  /** Takes in what was heard, if nobody else has taken it in meanwhile. */
  const take = (rows: readonly PlacedText[], since: Position, to: Position, happened: readonly (Place & { readonly change: string })[]) => {
    try {
      const note = () => {
        for (const { change, ...place } of happened) unanswered.happened(change, place)
      }
      const taken = mirror.take(rows, mirror.position === since ? to : undefined, note)
      if (taken.strangers.length > 0) lose(mirror.position)
      if (taken.broken.length > 0) log.error({ rows: taken.broken.slice(0, 20).map(({ kind, id }) => `${kind}:${id}`) }, 'Redis holds rows that make no sense')
      if (taken.touched.length > 0) tell(taken.touched)
    } catch (error) {
      tellUnwritten(rows) // a key that was revoked is refused even when the disk is full
      throw error
    }
  }
  const lose = (since: Position) => {
    if (mirror.position !== since) return // it was found out of an older one
    inStep = false
    mirror.lose()
    void wake()
  }
  const pull = async (): Promise<boolean> => {
    let any = false
    while (inStep && !closed) {
      const since = mirror.position
      const news = await talk.news(since)
      if (closed) break
      if (news === 'lost') {
        lose(since)
        continue
      }
      const last = news.entries.at(-1)
      if (!last) return any
      if (mirror.position === since) takeNews(news, since)
      any = true
    }
    return any
  }
  const takeNews = ({ entries, rows }: Exclude<Awaited<ReturnType<typeof talk.news>>, 'lost'>, since: Position) => {
    const last = entries.at(-1) ?? since
    const happened = entries.flatMap(({ change, kind, id }) => (kind === 'arrival' ? [] : { change, kind, id }))
    take(rows, since, { seq: last.seq, change: last.change }, happened)
  }
  const join = async () => {
    const { touched, given } = await joinShared(parts)
    if (closed) return
    inStep = true
    log.info({ given }, given > 0 ? 'keys, models and settings are shared through Redis, which was given what it lacked' : 'keys, models and settings are shared through Redis')
    if (touched) tell('all')
  }

  const look = async () => {
    do {
      again = false
      if (closed || link.state === 'down') return
      await pull()
      if (!inStep) await join()
      complained = ''
    } while (again)
  }
  const complain = (error: unknown) => {
    if (closed || error instanceof RedisUnusable || replyCode(error) !== undefined) return // the link says so
    const message = String(error)
    if (message !== complained) log.error({ err: error }, 'what other instances changed could not be taken in; it is tried again')
    complained = message
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
    if (closed || link.state === 'down' || !inStep) throw unavailable()
  }
  const poll = setInterval(wake, pollMs).unref()

  return {
    wake,
    async refresh() {
      if (link.state === 'up' && inStep) await pull().catch(complain)
    },
    async check() {
      demand()
      const any = await pull().catch(cause => {
        throw unavailable(cause)
      })
      demand()
      return any
    },
    async commit({ change, writes, entries }) {
      demand()
      const since = mirror.position
      unanswered.note(change, entries)
      const answer = await talk.commit(since, change, writes).catch(cause => {
        throw unavailable(cause)
      })
      if (closed) throw unavailable()
      if (answer.came === 'done') {
        return answer.ids
      }
      unanswered.forget(change)
      if (answer.came === 'lost') lose(since)
      else if (mirror.position === since) takeNews(answer.news, since)
      return undefined
    },
    close() {
      closed = true
      clearInterval(poll)
    },
  }
}
