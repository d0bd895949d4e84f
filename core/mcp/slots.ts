import type { McpPool } from './types.ts'

/** Places for requests to one HTTP server; who finds none waits in line. */
export interface Slots {
  /** Resolves with how to give the place back. Rejects with the reason of the signal. */
  take(signal: AbortSignal): Promise<() => void>
  row(): McpPool
  /** There may be more places now. */
  look(): void
}

/** `most` and `idleMs` are asked each time, for the config may change. */
export function createSlots(options: { readonly most: () => number; readonly idleMs: () => number; readonly steady: () => number }): Slots {
  const { most, idleMs, steady } = options
  let inUse = 0
  /** Since when; the longest first. Who comes takes the last one, as the connections themselves are taken. */
  let idle: readonly number[] = []
  const line = new Set<() => void>()

  const look = () => {
    for (const enter of line) {
      if (inUse >= most()) return
      line.delete(enter)
      enter()
    }
  }
  const enter = () => {
    inUse++
    idle = idle.slice(0, -1)
    let given = false
    return () => {
      if (given) return
      given = true
      inUse--
      idle = [...idle, steady()]
      look()
    }
  }

  return {
    look,
    take(signal) {
      if (signal.aborted) return Promise.reject(signal.reason)
      if (inUse < most() && line.size === 0) return Promise.resolve(enter())
      return new Promise((resolve, reject) => {
        const mine = () => {
          signal.removeEventListener('abort', leave)
          resolve(enter())
        }
        const leave = () => {
          line.delete(mine)
          reject(signal.reason)
        }
        line.add(mine)
        signal.addEventListener('abort', leave, { once: true })
      })
    },
    row() {
      const oldest = steady() - idleMs()
      idle = idle.filter(since => since >= oldest).slice(-Math.max(0, most() - inUse))
      const kept = inUse >= most() ? 0 : idle.length
      return { total: inUse + kept, inUse, idle: kept, maxAllowed: most() }
    },
  }
}
