import type { RedisLink } from '../../stores/redis/link.ts'
import type { KeyRecord, KeyRecords } from '../keys.ts'
import { useScript } from './scripts.ts'

/** When keys were used last, at whatever instance. Not as dear as the rest: a loss is no harm. */
export interface LastUse {
  note(times: ReadonlyMap<number, number>): Promise<void>
  /** The keys with the latest use anybody noted. */
  newest(keys: readonly KeyRecord[]): Promise<readonly KeyRecord[]>
}

const hash = 'gatehouse:used'
/** Keys that are noted at once. */
const notedAtOnce = 500

/** Notes it here and in Redis. */
export function shareLastUse(link: RedisLink, local: Pick<KeyRecords, 'used'>, isKnown: (id: number) => boolean): LastUse {
  return {
    async note(times) {
      await local.used(times)
      const known = [...times].filter(([id]) => isKnown(id))
      for (let at = 0; at < known.length && link.state === 'up'; at += notedAtOnce) {
        await link.run(useScript, [hash], known.slice(at, at + notedAtOnce).flat()).catch(() => {})
      }
    },
    async newest(keys) {
      if (link.state === 'down' || keys.length === 0) return keys
      const answer = await link.call('hmget', [hash, ...keys.map(({ id }) => id)]).catch(() => [])
      const times = (answer as readonly (Buffer | null)[]).map(Number)
      const later = new Map(
        keys.flatMap(({ id, lastUsedAt }, at) => ((times[at] ?? 0) > (lastUsedAt ?? 0) ? [[id, times[at] as number]] : [])),
      )
      if (later.size === 0) return keys
      await local.used(later)
      return keys.map(key => ({ ...key, lastUsedAt: later.get(key.id) ?? key.lastUsedAt }))
    },
  }
}
