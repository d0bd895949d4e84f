import type { Connection } from './connection.ts'
import { orAborted } from './limits.ts'
import { McpFailure } from './mcp-failure.ts'
import type { McpTimes } from './times.ts'

/** Keeps a server there: connects, and connects again when it is lost, after pauses that grow. */
export interface Life {
  connection(): Connection | undefined
  /**
   * The connection as soon as there is one. Who asks during a pause cuts it short, and gets what comes of that try. Rejects with its
   * failure, or with the reason of the signal.
   */
  ready(signal: AbortSignal): Promise<Connection>
  /** From now on nobody new gets it. */
  refuse(): void
  /** Resolves when nothing of the server is left. */
  close(graceMs: number): Promise<void>
}

export interface LifeOptions {
  /** Connects; leaves nothing behind when it fails. */
  readonly open: (signal: AbortSignal) => Promise<Connection>
  /** `why` is undefined when it is there. Called before anybody who waits hears of it. */
  readonly onChange: (why: string | undefined) => void
  /** The first try begins when this is done; without it there is none. */
  readonly after: Promise<unknown> | undefined
  readonly times: McpTimes
  readonly steady: () => number
}

export function createLife({ open, onChange, after, times, steady }: LifeOptions): Life {
  const closing = new AbortController()
  let connection: Connection | undefined
  let attempt = newAttempt()
  let wake = () => {}
  let refused = after === undefined

  const tryOnce = async () => {
    const mine = attempt
    try {
      connection = await open(closing.signal)
    } catch (error) {
      attempt = newAttempt()
      if (!closing.signal.aborted) onChange((error as Error).message)
      mine.reject(error)
      return
    }
    if (!closing.signal.aborted) onChange(undefined)
    attempt = newAttempt() // for those who come when this one is lost
    mine.resolve(connection)
  }
  /** Resolves after `ms`, or as soon as somebody asks but not before the shortest pause. */
  const pause = async (ms: number) => {
    const asked = Promise.withResolvers<void>()
    wake = asked.resolve
    await sleep(Math.min(ms, times.firstPauseMs), closing.signal)
    await sleep(ms - times.firstPauseMs, closing.signal, asked.promise)
    wake = () => {}
  }
  const live = async () => {
    if (!after) return
    await after
    for (let failures = 0; !closing.signal.aborted; failures++) {
      const begun = steady()
      await tryOnce()
      if (connection) {
        const why = await connection.lost
        const lost = connection
        connection = undefined
        if (closing.signal.aborted) return
        onChange(why)
        await lost.close(times.graceMs)
        if (steady() - begun >= times.steadyMs) failures = 0
      }
      await pause(Math.min(times.firstPauseMs * 2 ** failures, times.longestPauseMs))
    }
  }
  const lived = live()
  /** It may be lost a moment before that is known above. */
  const here = () => (connection?.isLost() ? undefined : connection)

  return {
    connection: here,
    async ready(signal) {
      if (refused) throw new McpFailure('unavailable', 'the server is stopped')
      const connected = here()
      if (connected) return connected
      wake()
      return orAborted(signal, attempt.promise)
    },
    refuse() {
      refused = true
    },
    async close(graceMs) {
      refused = true
      const last = connection
      connection = undefined
      closing.abort(new McpFailure('unavailable', 'the server is stopped'))
      attempt.reject(closing.signal.reason)
      await last?.close(graceMs)
      await lived
    },
  }
}

function newAttempt() {
  const attempt = Promise.withResolvers<Connection>()
  attempt.promise.catch(() => {}) // perhaps nobody waits for it
  return attempt
}

/** Resolves after the time, or sooner. */
async function sleep(ms: number, signal: AbortSignal, sooner?: Promise<void>): Promise<void> {
  if (ms <= 0 || signal.aborted) return
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, ms)
  timer.unref()
  signal.addEventListener('abort', () => over.resolve(), { once: true })
  await Promise.race(sooner ? [over.promise, sooner] : [over.promise])
  clearTimeout(timer)
}
