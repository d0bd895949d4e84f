import type { EvictionPolicy } from '../supervisor-room.ts'

/** At most so many at once; as few as needed go, the least recently used first, and only those that are idle. */
export const atMost =
  (most: number): EvictionPolicy =>
  (_, running) => {
    if (most < 1) return { never: 'nothing may run' }
    const tooMany = running.length + 1 - most
    if (tooMany <= 0) return { evict: [] }
    const idle = running.filter(({ state, inFlight }) => state === 'ready' && inFlight === 0).sort((a, b) => a.lastUsedAt - b.lastUsedAt)
    return idle.length >= tooMany ? { evict: idle.slice(0, tooMany).map(({ model }) => model) } : { wait: true }
  }
