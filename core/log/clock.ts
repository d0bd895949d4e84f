/** The time as log lines have it. Made once a millisecond: it takes 0.2 µs, and there may be many lines in one. */
export function createClock(now: () => number = Date.now): () => string {
  let at = Number.NaN
  let text = ''
  return () => {
    const time = now()
    if (time !== at) {
      at = time
      text = new Date(time).toISOString()
    }
    return text
  }
}
