import type { Leases } from '../leases.ts'

/** Places among the requests of this process: a count for each key, which is gone when the process is. */
export function memoryLeases(): Leases {
  const counts = new Map<string, number>()
  const leave = (key: string) => {
    const count = counts.get(key) ?? 0
    if (count > 1) counts.set(key, count - 1)
    else counts.delete(key)
  }
  return {
    take(key, limit) {
      const held = counts.get(key) ?? 0
      if (held >= limit) return { granted: false, held }
      counts.set(key, held + 1)
      return { granted: true, lease: { release: once(() => leave(key)) }, held: held + 1 }
    },
    close() {},
  }
}

/** Does it the first time only. */
export function once(work: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    work()
  }
}
