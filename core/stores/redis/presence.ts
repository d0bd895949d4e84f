import type { RedisLink } from './link.ts'
import { luaScript } from './script.ts'

/** The sign before must still be there: a Redis that came back from a snapshot has an older one. */
const beatScript = luaScript(`
local before = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return before == ARGV[1] and 1 or 0
`)

export interface PresenceOptions {
  readonly link: RedisLink
  /** A number that stands in front of the sign, for others to read. */
  readonly since: number
  /** Called after each beat: about once a second while Redis can be used. `kept` is false at first, and when Redis lost something. */
  readonly onBeat: (kept: boolean) => void
  readonly everyMs?: number
  /** So long the sign stays after the last beat. */
  readonly lastsMs?: number
}

/**
 * A sign of life in Redis under `gatehouse:presence:NAME`, which others see, and which tells whether Redis still has what it
 * was given.
 */
export interface Presence {
  /** Beats under another name from now on, at once. */
  rename(name: string): void
  stop(): void
}

/** Begins to beat. */
export function keepPresence(firstName: string, { link, since, onBeat, everyMs = 1000, lastsMs = 30_000 }: PresenceOptions): Presence {
  let name = firstName
  let count = 0
  let stopped = false
  let waiting = false

  const beat = async () => {
    if (waiting || stopped || link.state === 'down') return
    waiting = true
    const asked = name
    const args = [`${since} ${count}`, `${since} ${++count}`, lastsMs]
    const answer = await link.run(beatScript, [`gatehouse:presence:${asked}`], args).catch(() => undefined)
    waiting = false
    // a beat that was not answered may be there or not: the next one finds a gap, which is right after a loss
    if (answer !== undefined && !stopped && asked === name) onBeat(answer === 1)
  }
  const timer = setInterval(beat, everyMs).unref()
  void beat()
  return {
    rename(next) {
      name = next
      void beat()
    },
    stop() {
      stopped = true
      clearInterval(timer)
    },
  }
}
