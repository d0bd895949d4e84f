import type { Store } from './store.ts'

/** One instance's own memory. Everything is lost on exit. */
export function memoryStore(now: () => number = Date.now): Store {
  const values = new Map<string, { bytes: Uint8Array; expiresAt: number }>()
  const counters = new Map<string, number>()
  const buckets = new Map<string, { level: number; at: number; emptyAt: number }>()
  let writes = 0

  // entries are also kept per address, so what is over must go; looking at all of them now and then costs nothing that shows
  const forgetWhatIsOver = () => {
    if (++writes % 4096 !== 0) return
    const at = now()
    for (const [key, bucket] of buckets) if (bucket.emptyAt <= at) buckets.delete(key)
    for (const [key, { expiresAt }] of values) if (expiresAt <= at) values.delete(key)
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
    take(key, { perMinute, burst }, cost = 1) {
      forgetWhatIsOver()
      const at = now()
      const perMs = perMinute / 60_000
      const bucket = buckets.get(key)
      // a clock that is set back drains nothing, and fills nothing either
      const level = bucket ? Math.max(0, bucket.level - Math.max(0, at - bucket.at) * perMs) : 0
      // a hair of tolerance: the level is a sum of rounded drips
      if (level + cost > burst + 1e-9) return { allowed: false, retryAfterMs: (level + cost - burst) / perMs }
      const filled = level + cost
      buckets.set(key, { level: filled, at, emptyAt: at + filled / perMs })
      return { allowed: true, remaining: Math.floor(burst - filled + 1e-9), resetMs: filled / perMs }
    },
    close() {},
  }
}
