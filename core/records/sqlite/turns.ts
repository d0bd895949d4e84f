/** How long one piece of work holds the event loop before somebody else has a turn. */
const longestMs = 5

/** For long work in small steps: called between them, it lets others have their turn when it is time. */
export function createTurns(): () => Promise<void> {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < longestMs) return
    await new Promise(resolve => setImmediate(resolve))
    since = performance.now()
  }
}
