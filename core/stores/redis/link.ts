import type { Logger } from '../../log.ts'
import type { RedisAddress } from './address.ts'
import type { Argument, Connection, Dial } from './connection.ts'
import { createPending } from './pending.ts'
import { checkConnection } from './probe.ts'
import { isRefusal, RedisUnusable, reasonOf, replyCode } from './reasons.ts'
import type { Script } from './script.ts'

/** What this process has of Redis: one connection, and one breaker for all who use it. */
export interface RedisLink {
  /** `down` from the first sign of trouble until a new connection has proved that it can write. */
  readonly state: 'up' | 'down'
  /** What those who cannot ask Redis shall do: decide by themselves, or refuse. */
  readonly onError: OnError
  /** Resolves when the first connection is up, or known not to come up: a second at most. */
  readonly opened: Promise<void>
  /** Sends a command. Rejects at once while the link is down, and when no answer comes in time. */
  call(command: string, args: readonly Argument[]): Promise<unknown>
  /**
   * Runs a script on some keys, in one step; rejects as `call` does. Redis may have to be sent the text first, and other
   * commands may be quicker then: arguments that say how things stand are given as a function, asked again for that.
   */
  run(script: Script, keys: readonly string[], args: readonly Argument[] | (() => readonly Argument[])): Promise<unknown>
  /** Waits for what is on its way, as long as an answer may take, and ends the connection. */
  close(): Promise<void>
}

/** `redis.on_error`. */
export type OnError = 'local' | 'deny'

export interface LinkOptions {
  readonly address: RedisAddress
  readonly onError: OnError
  readonly dial: Dial
  readonly log: Logger
  /** An answer that takes longer is none; the breaker then opens for everybody. */
  readonly answerWithinMs?: number
}

/** So long the breaker stays open, and so far apart connections are begun. */
const retryMs = 1000
/** Something is asked at least this often, so that a loss is seen without requests, and nobody cuts an idle connection. */
const idleMs = 5000

/** Opens the link and keeps it: when it breaks, a new connection is tried every second, and never by a request. */
export function createLink({ address, onError, dial, log, answerWithinMs = 250 }: LinkOptions): RedisLink {
  let current: Connection | undefined
  let startedAt = 0
  let usable = false
  let closed = false
  let told: 'nothing' | 'up' | 'down' = 'nothing'
  const logged = new Set<string>() // reasons, or single commands that were refused: each once until it is up again
  let retry: Timer | undefined
  const first = Promise.withResolvers<void>()
  const redis = address.shown
  const isDown = new RedisUnusable('the link is down') // one for all: under load a stack for each would cost more than the call
  const pending = createPending(answerWithinMs, () => lose(new RedisUnusable('it does not answer'), retryMs))

  const begin = () => {
    startedAt = performance.now()
    const fail = (error: unknown) => {
      if (fresh === current) lose(error, nextTry())
    }
    const fresh = dial(address, fail)
    current = fresh
    const late = setTimeout(fail, retryMs, new RedisUnusable('it does not answer')).unref()
    fresh.opened
      .then(() => checkConnection(fresh))
      .then(() => fresh === current && use(), fail)
      .finally(() => clearTimeout(late))
  }
  const nextTry = () => Math.max(0, startedAt + retryMs - performance.now())

  const use = () => {
    usable = true
    if (told !== 'up') log.info({ redis }, told === 'down' ? 'Redis is back' : 'Redis is in use')
    told = 'up'
    logged.clear()
    first.resolve()
  }

  const lose = (error: unknown, afterMs: number) => {
    const wasUsable = usable
    const lost = current
    usable = false
    current = undefined
    lost?.destroy()
    pending.giveUp(isDown)
    if (closed) return
    retry = setTimeout(begin, afterMs).unref()
    // Redis closes idle connections when it is told to: not worth a line when the next one comes up at once
    if (!wasUsable || afterMs > 0) tellLost(reasonOf(error))
  }
  const tellLost = (reason: string) => {
    if (told !== 'down') logged.clear()
    told = 'down'
    first.resolve()
    if (logged.has(reason)) return
    const until = onError === 'deny' ? 'what needs it is refused' : 'this instance counts alone'
    log.warn({ redis, reason, on_error: onError }, `Redis cannot be used; ${until} until it is back`)
    logged.add(reason)
  }

  const complain = (command: string, error: unknown) => {
    if (isRefusal(error)) return lose(error, retryMs)
    const code = replyCode(error)
    if (code === undefined || code === 'NOSCRIPT' || logged.has(command + code)) return
    logged.add(command + code)
    log.warn({ redis, command, code }, 'Redis refused a command')
  }

  const call = (command: string, args: readonly Argument[]): Promise<unknown> => {
    const connection = current
    if (!usable || !connection) return Promise.reject(isDown)
    return pending.add(connection.send(command, args), error => {
      if (connection === current) complain(command, error)
    })
  }

  const idle = setInterval(() => call('get', ['gatehouse:probe']).catch(() => {}), idleMs).unref()

  begin()
  return {
    onError,
    opened: first.promise,
    get state() {
      return usable ? 'up' : 'down'
    },
    call,
    async run({ text, sha }, keys, args) {
      const rest = () => [keys.length, ...keys, ...(typeof args === 'function' ? args() : args)]
      try {
        return await call('evalsha', [sha, ...rest()])
      } catch (error) {
        if (replyCode(error) !== 'NOSCRIPT') throw error
        return call('eval', [text, ...rest()])
      }
    },
    async close() {
      closed = true
      usable = false
      clearTimeout(retry)
      clearInterval(idle)
      first.resolve()
      await pending.idle() // the watch gives up what is not answered
      lose(isDown, 0)
    },
  }
}
