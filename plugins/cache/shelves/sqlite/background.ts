/** What a slice of work left to do. */
export type Left = 'answers' | 'upkeep' | 'nothing'

/** Work in slices, with pauses for everything else that the event loop has to do. */
export interface Background {
  /** Begins in so many milliseconds at the latest, and goes on until nothing is left. */
  within(ms: number): void
  /** Begins at once; resolves when no answers are left. */
  drain(): Promise<void>
  stop(): void
}

const pauseMs = 5

/** Nothing runs before it is asked for. */
export function createBackground(slice: () => Left): Background {
  const waiting: (() => void)[] = []
  let timer: Timer | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let rested = 0

  const run = () => {
    dueAt = Number.POSITIVE_INFINITY
    const left = slice()
    rested = performance.now() + pauseMs
    if (left !== 'answers') for (const resolve of waiting.splice(0)) resolve()
    if (left !== 'nothing') within(0)
  }
  const within = (ms: number) => {
    const now = performance.now()
    const at = Math.max(now + ms, rested)
    if (at >= dueAt) return
    clearTimeout(timer)
    dueAt = at
    timer = setTimeout(run, at - now)
    if (waiting.length === 0) timer.unref()
  }
  return {
    within,
    drain() {
      const drained = new Promise<void>(resolve => waiting.push(resolve))
      dueAt = Number.POSITIVE_INFINITY // the timer may be one that does not keep the process
      within(0)
      return drained
    },
    stop: () => clearTimeout(timer),
  }
}
