import { memoryStore } from '../memory.ts'
import type { Store } from '../store.ts'
import { giveBackToBucket, takeFromBucket } from './bucket.ts'
import type { RedisLink } from './link.ts'
import { unavailable } from './unavailable.ts'

/** A store that says whether it reaches what it shares. */
export interface RedisStore extends Store {
  readonly state: 'up' | 'down'
  /** Resolves when it is known for the first time whether Redis can be used: a second at most. */
  readonly opened: Promise<void>
}

/** Values, counters and buckets may share a name, as they may in memory. */
const named = (kind: string) => (key: string) => `gatehouse:${kind}:${key}`
const value = named('value')
const counter = named('counter')
const bucketOf = named('bucket')

/** What may be on its way to Redis at once. More would keep answers that decide something waiting behind it. */
const mostBytesOnTheWay = 8 * 1024 * 1024

/**
 * A store over a link. While that is down nothing waits: reads find nothing, writes are dropped, and buckets and counters
 * are this instance's own or refused, as `on_error` says.
 */
export function createRedisStore(link: RedisLink, now?: () => number): RedisStore {
  const alone = memoryStore(now)
  let bytesOnTheWay = 0

  const orAlone = <T>(decide: () => T): T => {
    if (link.onError === 'deny') throw unavailable()
    return decide()
  }
  const write = async (command: string, args: readonly (string | number | Uint8Array)[], size: number) => {
    bytesOnTheWay += size
    await link.call(command, args).catch(() => {})
    bytesOnTheWay -= size
  }

  return {
    name: 'redis',
    opened: link.opened,
    get state() {
      return link.state
    },
    get(key) {
      return link.state === 'down' ? null : link.call('get', [value(key)]).then(asBytes, () => null)
    },
    set(key, bytes, { ttlMs = Number.POSITIVE_INFINITY } = {}) {
      if (link.state === 'down' || bytesOnTheWay + bytes.length > mostBytesOnTheWay) return
      if (ttlMs === Number.POSITIVE_INFINITY) return write('set', [value(key), bytes], bytes.length)
      if (!(ttlMs > 0)) return write('del', [value(key)], 0)
      return write('set', [value(key), bytes, 'PX', Math.min(Math.ceil(ttlMs), Number.MAX_SAFE_INTEGER)], bytes.length)
    },
    delete(key) {
      return (
        link.state === 'up' &&
        link.call('del', [value(key)]).then(
          count => count === 1,
          () => false,
        )
      )
    },
    async *keys(prefix) {
      const found = new Set<string>() // SCAN may name a key twice
      let cursor = '0'
      do {
        const page = await link.call('scan', [cursor, 'MATCH', `${asPattern(value(prefix))}*`, 'COUNT', 1000]).catch(cause => {
          throw unavailable(cause) // an empty list would be a lie
        })
        const [next, names] = page as readonly [Buffer, readonly Buffer[]]
        for (const name of names) {
          const key = name.toString().slice(value('').length)
          if (!found.has(key)) yield key
          found.add(key)
        }
        cursor = next.toString()
      } while (cursor !== '0')
    },
    add(key, amount) {
      const countAlone = () => orAlone(() => alone.add(key, amount))
      return link.state === 'down' ? countAlone() : link.call('incrbyfloat', [counter(key), amount]).then(Number, countAlone)
    },
    take(key, bucket, cost = 1) {
      const decideAlone = () => orAlone(() => alone.take(key, bucket, cost))
      if (link.state === 'down') return decideAlone()
      return takeFromBucket(link, bucketOf(key), bucket, cost, now?.()).then(taken => {
        if (taken.allowed && link.onError === 'local') alone.take(key, bucket, cost) // so that losing Redis is no new burst
        return taken
      }, decideAlone)
    },
    giveBack(key, bucket, amount) {
      const giveAlone = () => (link.onError === 'deny' ? undefined : alone.giveBack(key, bucket, amount))
      if (link.state === 'down') return giveAlone()
      return giveBackToBucket(link, bucketOf(key), bucket, amount, now?.()).then(level => {
        giveAlone()
        return level
      }, giveAlone)
    },
    close: () => link.close(),
  }
}

const asBytes = (answer: unknown) => (answer instanceof Uint8Array ? new Uint8Array(answer.buffer, answer.byteOffset, answer.length) : null)

/** Stands for itself in a glob pattern. */
const asPattern = (text: string) => text.replace(/[\\*?[\]]/g, '\\$&')
