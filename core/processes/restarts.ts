/** How often something that ends by itself is started again. */
export interface RestartLimits {
  /** Starts allowed within `windowMs`; after that many it stays down. */
  readonly most: number
  readonly windowMs: number
  /** The pause before the first of them; each further one within the window waits twice as long. */
  readonly firstMs: number
  readonly longestMs: number
}

/** Says how long to wait before the next start, or undefined when it has been started too often lately. */
export function createRestarts({ most, windowMs, firstMs, longestMs }: RestartLimits, now: () => number): () => number | undefined {
  let starts: readonly number[] = []
  return () => {
    const at = now()
    starts = starts.filter(start => at - start < windowMs)
    if (starts.length >= most) return
    const pauseMs = Math.min(firstMs * 2 ** starts.length, longestMs)
    starts = [...starts, at]
    return pauseMs
  }
}
