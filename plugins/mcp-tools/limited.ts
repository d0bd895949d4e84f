/** Why work was ended. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut'
}

/**
 * The result of `work`, which gets a signal of its own, unless its time is over or `outer` aborts: then it rejects at once, with a
 * `TimedOut` or the reason of the signal, whether the work listens to its signal or not.
 */
export async function limited<T>(work: (signal: AbortSignal) => Promise<T>, ms: number, outer: AbortSignal): Promise<T> {
  outer.throwIfAborted()
  const own = new AbortController()
  const ended = Promise.withResolvers<never>()
  const end = (reason: unknown) => {
    ended.reject(reason)
    own.abort(reason)
  }
  const onAbort = () => end(outer.reason)
  outer.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(() => end(new TimedOut(`timed out after ${Math.round(ms) / 1000}s`)), Math.min(ms, longestTimer))
  try {
    return await Promise.race([work(own.signal), ended.promise])
  } finally {
    clearTimeout(timer)
    outer.removeEventListener('abort', onAbort)
  }
}

/** A timer for longer, such as none at all, would fire at once. */
const longestTimer = 2 ** 31 - 1

/** Runs `work` for every item, so many at a time; the results in the order of the items. The first that fails ends it. */
export async function inParallel<T, R>(items: readonly T[], most: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const rest = items.entries()
  const worker = async () => {
    for (const [index, item] of rest) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker))
  return results
}
