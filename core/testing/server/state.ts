import type { RecordedRequest, StreamRecord } from '../fake-server.ts'

/** What a fake remembers, and those who wait for it to change. */
export interface State {
  readonly requests: RecordedRequest[]
  readonly streams: StreamRecord[]
  /** Looks again at every waiting `until`. */
  changed(): void
  until(check: () => boolean, what: string, ms?: number): Promise<void>
  /** True the first time it is asked about `name` since the start or `clear`. */
  firstTime(name: string): boolean
  /** The next number of this fake, from 1. */
  count(): number
  /** Waits for the next `release`; the function it returns stops waiting. */
  hold(then: () => void): () => void
  release(): void
  clear(): void
  stop(): void
}

interface Waiter {
  readonly check: () => boolean
  settle(error?: Error): void
}

/** Makes an empty state. */
export function watchState(): State {
  const requests: RecordedRequest[] = []
  const streams: StreamRecord[] = []
  const waiters = new Set<Waiter>()
  const held = new Set<() => void>()
  const seen = new Set<string>()
  let counter = 0

  const changed = () => {
    for (const waiter of [...waiters]) {
      if (waiter.check()) waiter.settle()
    }
  }
  return {
    requests,
    streams,
    changed,
    until: (check, what, ms = 5000) =>
      new Promise((resolve, reject) => {
        if (check()) return resolve()
        const late = new Error(`the fake server waited ${ms} ms in vain for: ${what}`)
        const timer = setTimeout(() => waiter.settle(late), ms)
        const waiter: Waiter = {
          check,
          settle(error) {
            clearTimeout(timer)
            waiters.delete(waiter)
            // Whoever caused this change is still on its way to its next wait; let it get there, so that a
            // `release()` after this finds it waiting.
            if (error) reject(error)
            else setImmediate(resolve)
          },
        }
        waiters.add(waiter)
      }),
    firstTime(name) {
      const first = !seen.has(name)
      seen.add(name)
      return first
    },
    count: () => ++counter,
    hold(then) {
      held.add(then)
      return () => void held.delete(then)
    },
    release() {
      const waiting = [...held]
      held.clear()
      for (const then of waiting) then()
    },
    clear() {
      requests.length = 0
      streams.length = 0
      seen.clear()
    },
    stop() {
      for (const stream of streams) stream.ended ??= 'broken'
      changed()
    },
  }
}
