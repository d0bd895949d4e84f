import type { ListKind } from './types.ts'

/** Gathers what a server says has changed. */
export interface ListChanges {
  note(kind: ListKind): void
  stop(): void
}

/** `look` is called a moment after the first word of a burst, and never before the last look is done: a server may say so at each. */
export function createListChanges(gapMs: number, look: (kind: ListKind) => Promise<void>): ListChanges {
  const planned = new Map<ListKind, Timer>()
  const running = new Set<ListKind>()
  const again = new Set<ListKind>()
  let stopped = false

  const plan = (kind: ListKind) => planned.set(kind, setTimeout(run, gapMs, kind).unref())
  const run = async (kind: ListKind) => {
    planned.delete(kind)
    running.add(kind)
    await look(kind)
    running.delete(kind)
    if (again.delete(kind) && !stopped) plan(kind)
  }

  return {
    note(kind) {
      if (stopped || planned.has(kind)) return
      if (running.has(kind)) again.add(kind)
      else plan(kind)
    },
    stop() {
      stopped = true
      for (const timer of planned.values()) clearTimeout(timer)
    },
  }
}
