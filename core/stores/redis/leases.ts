import { once } from '../../leases/memory.ts'
import type { LeaseAnswer, Leases } from '../../leases.ts'
import { takeScript, tellScript } from './leases-scripts.ts'
import type { RedisLink } from './link.ts'
import { keepPresence } from './presence.ts'
import { unavailable } from './unavailable.ts'

export interface RedisLeasesOptions {
  readonly link: RedisLink
  /** So long a place stays after its process was last heard of. It is renewed three times as often. */
  readonly lastsMs?: number
  /** How often it is looked whether something is to be said again. */
  readonly beatMs?: number
  /** With it places lapse by that clock, else by that of Redis. */
  readonly now?: () => number
}

/** What this process holds of one key. */
interface Held {
  /** Members that were asked for or granted. */
  readonly members: Set<string>
  granted: number
  /** Counts how often Redis was told of all of them at once. */
  tellings: number
  /** Redis may know something else. */
  behind: boolean
}

const nameOf = (key: string) => `gatehouse:lease:${key}`

/**
 * Places that the instances of a gateway share. While Redis is lost each instance goes by what it holds itself, or
 * refuses, as `on_error` says; what it holds is told as soon as Redis is back, and again when Redis lost it.
 */
export function redisLeases({ link, lastsMs = 30_000, beatMs = 1000, now }: RedisLeasesOptions): Leases {
  const prefix = `${crypto.randomUUID()}:`
  const keys = new Map<string, Held>()
  let count = 0
  let renewedAt = performance.now()

  const heldOf = (key: string): Held => {
    const held = keys.get(key) ?? { members: new Set<string>(), granted: 0, tellings: 0, behind: false }
    keys.set(key, held)
    return held
  }
  const fallBehind = (key: string) => {
    heldOf(key).behind = true
  }
  const tell = (key: string, held: Held) => {
    held.tellings++
    held.behind = false
    link.run(tellScript, [nameOf(key)], () => [lastsMs, now?.() ?? '', prefix, ...held.members]).catch(() => fallBehind(key))
  }
  const onBeat = (kept: boolean) => {
    const late = performance.now() - renewedAt >= lastsMs / 3
    if (late) renewedAt = performance.now()
    for (const [key, held] of keys) {
      if (held.behind || ((late || !kept) && held.members.size > 0)) tell(key, held)
      else if (held.members.size === 0) keys.delete(key)
    }
  }
  const presence = keepPresence(`${prefix}leases`, { link, since: 0, onBeat, everyMs: beatMs, lastsMs })

  const drop = (key: string, member: string) => {
    link.call('zrem', [nameOf(key), member]).catch(() => fallBehind(key))
  }
  const grant = (key: string, held: Held, member: string, taken: number): LeaseAnswer => {
    held.granted++
    const release = () => {
      held.granted--
      held.members.delete(member)
      drop(key, member)
    }
    return { granted: true, lease: { release: once(release) }, held: taken }
  }

  return {
    take(key, limit) {
      const held = heldOf(key)
      const member = prefix + ++count
      const takeAlone = (): LeaseAnswer => {
        fallBehind(key)
        if (link.onError === 'local' && held.granted < limit) {
          held.members.add(member)
          return grant(key, held, member, held.granted + 1)
        }
        held.members.delete(member)
        if (link.onError === 'deny') throw unavailable()
        return { granted: false, held: held.granted }
      }
      if (link.state === 'down') return takeAlone()

      held.members.add(member) // whoever tells Redis of all meanwhile must not take it away
      const { tellings } = held
      return link.run(takeScript, [nameOf(key)], [lastsMs, now?.() ?? '', limit, member]).then(answer => {
        const [done, taken] = answer as readonly [number, number]
        if (done === 1) return grant(key, held, member, taken)
        held.members.delete(member)
        if (held.tellings !== tellings) drop(key, member) // it was told of as if it were held
        return { granted: false, held: taken }
      }, takeAlone)
    },
    close: () => presence.stop(),
  }
}
