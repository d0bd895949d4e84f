import type { Logger } from '../../log.ts'
import type { Subscribe } from '../../stores/redis/connection.ts'
import { replyCode } from '../../stores/redis/reasons.ts'
import { sharedChannel } from './scripts.ts'

/** So far apart connections are begun, and so long one may take. */
const retryMs = 1000
/** Rights do not come back that soon. */
const forbiddenMs = 60_000

export interface HearParts {
  readonly subscribe: Subscribe
  /** A change of this number was announced; without one, some may have been while nobody listened. */
  readonly wake: (seq?: number) => void
  readonly log: Logger
}

/** Somebody who listens to announcements of changes. */
export interface Hearing {
  close(): void
}

/** Listens, and begins anew whenever the connection is lost. Nothing depends on it but how soon something is heard. */
export function hearAnnouncements({ subscribe, wake, log }: HearParts): Hearing {
  let end = () => {}
  let retry: Timer | undefined
  let closed = false
  let told = false

  const begin = () => {
    let over = false
    const startedAt = performance.now()
    const lose = (error?: unknown) => {
      if (over) return
      over = true
      clearTimeout(late)
      destroy()
      if (closed) return
      const forbidden = replyCode(error) === 'NOPERM'
      if (forbidden && !told) log.warn('Redis does not announce changes to this user, so they are asked for only')
      told ||= forbidden
      retry = setTimeout(begin, Math.max(0, startedAt + (forbidden ? forbiddenMs : retryMs) - performance.now())).unref()
    }
    const late = setTimeout(lose, retryMs).unref()
    const { opened, destroy } = subscribe(sharedChannel, message => wake(Number(message)), lose)
    end = lose
    opened.then(() => {
      clearTimeout(late)
      told = false
      wake()
    }, lose)
  }
  begin()
  return {
    close() {
      closed = true
      clearTimeout(retry)
      end()
    },
  }
}
