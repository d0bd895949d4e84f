import type { Bucket, Level, Store } from './store.ts'

/** One instance's own memory. Everything is lost on exit. */
export function memoryStore(now: () => number = Date.now): Store {
  const values = new Map<string, { bytes: Uint8Array; expiresAt: number }>()
  const counters = new Map<string, number>()
  const buckets = new Map<string, Kept>()
  let writes = 0

  // entries are also kept per address, so what is over must go; looking at all of them now and then costs nothing that shows
  const forgetWhatIsOver = () => {
    if (++writes % rounds !== 0) return
    const at = now()
    for (const [key, bucket] of buckets) if (bucket.emptyAt <= at) buckets.delete(key)
    for (const [key, { expiresAt }] of values) if (expiresAt <= at) values.delete(key)
  }
  const fill = (key: string, kept: Kept | undefined, limits: Bucket, at: number, level: number) => {
    forgetWhatIsOver()
    const emptyAt = at + level / perMs(limits)
    if (!kept) return void buckets.set(key, { level, at, emptyAt })
    kept.level = level
    kept.at = at
    kept.emptyAt = emptyAt
    // it may just have been forgotten
    if (writes % rounds === 0) buckets.set(key, kept)
  }

  return {
    name: 'memory',
    state: 'up',
    get(key) {
      const entry = values.get(key)
      if (!entry) return null
      if (entry.expiresAt > now()) return entry.bytes
      values.delete(key)
      return null
    },
    set(key, bytes, { ttlMs = Number.POSITIVE_INFINITY } = {}) {
      forgetWhatIsOver()
      values.set(key, { bytes, expiresAt: now() + ttlMs })
    },
    delete: key => values.delete(key),
    async *keys(prefix) {
      for (const [key, { expiresAt }] of values) if (key.startsWith(prefix) && expiresAt > now()) yield key
    },
    add(key, amount) {
      const value = (counters.get(key) ?? 0) + amount
      counters.set(key, value)
      return value
    },
    take(key, bucket, cost = 1) {
      const at = now()
      const kept = buckets.get(key)
      const level = levelOf(kept, bucket, at)
      // a hair of tolerance: the level is a sum of rounded drips
      if (level + cost > bucket.burst + 1e-9) return { allowed: false, retryAfterMs: (level + cost - bucket.burst) / perMs(bucket) }
      fill(key, kept, bucket, at, level + cost)
      return { allowed: true, ...describeLevel(level + cost, bucket) }
    },
    giveBack(key, bucket, amount) {
      const at = now()
      const kept = buckets.get(key)
      const level = Math.max(0, levelOf(kept, bucket, at) - amount)
      fill(key, kept, bucket, at, level)
      return describeLevel(level, bucket)
    },
    close() {},
  }
}

/** A bucket as it was last touched, and when it will be empty. */
interface Kept {
  level: number
  at: number
  emptyAt: number
}

/** After so many writes what is over is looked for. */
const rounds = 4096

// a clock that is set back drains nothing, and fills nothing either
const levelOf = (kept: Kept | undefined, limits: Bucket, at: number): number =>
  kept ? Math.max(0, kept.level - Math.max(0, at - kept.at) * perMs(limits)) : 0

/** How much drains in a millisecond. */
export const perMs = ({ perMinute }: Bucket): number => perMinute / 60_000

/** A bucket with so much in it, for those who want to take. */
export const describeLevel = (level: number, bucket: Bucket): Level => ({
  remaining: Math.max(0, Math.floor(bucket.burst - level + 1e-9)),
  resetMs: level === 0 ? 0 : level / perMs(bucket),
})
