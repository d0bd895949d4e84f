/** The time as log lines have it. Made once a millisecond: at many lines in each, making it was a tenth of a line. */
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
