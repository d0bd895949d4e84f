/** Does something again and again. */
export interface Ticker {
  /** Begins the pause anew: its length may have changed. */
  reset(): void
  stop(): void
}

/** `everyMs` is asked before each pause. The next one begins when `work` is done. */
export function createTicker(everyMs: () => number, work: () => Promise<unknown>): Ticker {
  let timer: Timer | undefined
  let stopped = false
  const tick = () => work().finally(reset)
  function reset() {
    clearTimeout(timer)
    if (!stopped) timer = setTimeout(tick, everyMs()).unref()
  }
  reset()
  return {
    reset,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
