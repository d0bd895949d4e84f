/** The calls that wait for Redis. */
export interface Pending {
  /** Settles as `answer` does, or as soon as all are given up. `onError` hears of an error that is the call's own. */
  add<T>(answer: Promise<T>, onError: (error: unknown) => void): Promise<T>
  /** Rejects all that wait. */
  giveUp(error: Error): void
  /** Resolves when none waits. */
  idle(): Promise<void>
}

interface Call {
  readonly at: number
  readonly reject: (error: Error) => void
}

/** When our own event loop was held up, the call may just have left, or its answer lie in the socket: then it gets this long. */
const secondLookMs = 20

/**
 * Watches how long the oldest call waits; Redis answers in order. One timer for all of them: one each would cost more
 * than the rest of a call. A thousand calls at once may keep the last ones waiting while answers come all the time: that is
 * no silence yet.
 */
export function createPending(limitMs: number, onSilence: () => void, mostMs = limitMs * 1.6): Pending {
  const calls = new Set<Call>() // in the order they were made
  let answeredAt = 0
  let watching = false
  const quiet: (() => void)[] = []

  const watch = (ms: number) => {
    if (!watching) setTimeout(look, ms).unref()
    watching = true
  }
  const oldest = () => calls.values().next().value
  const leftMs = () => {
    const call = oldest()
    if (!call) return undefined
    const now = performance.now()
    return Math.min(limitMs - (now - Math.max(call.at, answeredAt)), mostMs - (now - call.at))
  }
  const look = () => {
    watching = false
    const left = leftMs()
    if (left === undefined) return
    if (left > 0) return watch(Math.ceil(left))
    watching = true
    setTimeout(judge, secondLookMs).unref()
  }
  const judge = () => {
    watching = false
    const left = leftMs()
    if (left !== undefined && left <= 0) onSilence()
    else look()
  }
  const over = (call: Call) => {
    const waited = calls.delete(call)
    if (calls.size === 0) for (const resolve of quiet.splice(0)) resolve()
    return waited
  }

  return {
    add: (answer, onError) =>
      new Promise((resolve, reject) => {
        const call: Call = { at: performance.now(), reject }
        calls.add(call)
        watch(limitMs)
        answer.then(
          value => {
            answeredAt = performance.now()
            if (over(call)) resolve(value)
          },
          error => {
            answeredAt = performance.now()
            if (!over(call)) return
            onError(error)
            reject(error)
          },
        )
      }),
    giveUp(error) {
      for (const call of [...calls]) if (over(call)) call.reject(error)
    },
    idle: () => (calls.size === 0 ? Promise.resolve() : new Promise(resolve => quiet.push(resolve))),
  }
}
