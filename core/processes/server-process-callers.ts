/** Those who wait for the same thing, each until they have it, it cannot be had, or they want it no more. */
export interface Callers<T> {
  /** Waits for it; rejects with the reason of the signal when that aborts first. */
  join(signal: AbortSignal): Promise<T>
  /** Gives every one of them their own, at once. */
  serve(make: () => T): void
  refuse(error: unknown): void
  readonly size: number
}

interface Caller<T> {
  resolve(value: T): void
  reject(error: unknown): void
}

/** Nobody waits yet. `onLeave` is called when somebody has left by themselves. */
export function createCallers<T>(onLeave: () => void): Callers<T> {
  const waiting = new Set<Caller<T>>()
  /** All of them, who then wait no more; others may join meanwhile. */
  const take = () => {
    const all = [...waiting]
    waiting.clear()
    return all
  }
  return {
    join(signal) {
      if (signal.aborted) return Promise.reject(signal.reason)
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      const leave = () => {
        waiting.delete(caller)
        reject(signal.reason)
        onLeave()
      }
      const stay = () => signal.removeEventListener('abort', leave)
      const caller: Caller<T> = {
        resolve(value) {
          stay()
          resolve(value)
        },
        reject(error) {
          stay()
          reject(error)
        },
      }
      signal.addEventListener('abort', leave, { once: true })
      waiting.add(caller)
      return promise
    },
    serve(make) {
      for (const caller of take()) caller.resolve(make())
    },
    refuse(error) {
      for (const caller of take()) caller.reject(error)
    },
    get size() {
      return waiting.size
    },
  }
}
