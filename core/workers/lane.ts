/** Threads that run one task each; tinypool's part that is used here. */
export interface Threads {
  run(task: unknown, options: { readonly name: string; readonly signal: AbortSignal }): Promise<unknown>
  destroy(): Promise<void>
}

export interface LaneOptions {
  /** Makes the threads; called with the first task. `onBroken` is told when one died without a task. */
  readonly open: (onBroken: (error: unknown) => void) => Threads
  /** How many tasks run at a time. */
  readonly threads: () => number
  /** How long a task may run before its thread is killed, and how long it may wait for one. */
  readonly budgetMs: () => number
  /** How many may wait. */
  readonly mostWaiting: number
  /** After three failures in a row nothing is tried for so long. */
  readonly restMs: number
}

/** Why a task was not done. */
export type Failure = 'full' | 'late' | 'overran' | 'died' | 'resting' | 'closed'

/** What a lane throws. The work must then be done another way, or not at all. */
export class LaneError extends Error {
  override readonly name = 'LaneError'
  constructor(
    readonly failure: Failure,
    cause?: unknown,
  ) {
    super(`a worker task failed: ${failure}`, { cause })
  }
}

/** Tasks for threads, with what tinypool leaves out: limits on time and length, and a way back after a death. */
export interface Lane {
  /** The result, a `LaneError`, or the signal's reason; a thread whose caller has left finishes its task all the same. */
  run<T>(task: unknown, name: string, signal?: AbortSignal): Promise<T>
  close(): Promise<void>
}

const failuresInARow = 3
const longestEndMs = 1000

/** Makes a lane. Until the first task it costs nothing. */
export function createLane({ open, threads: most, budgetMs, mostWaiting, restMs }: LaneOptions): Lane {
  let threads: Threads | undefined
  let closed = false
  let failures = 0
  let restsUntil = 0
  let busy = 0 // threads with a task, or promised to one
  const running = new Set<AbortController>()
  const waiting = new Set<() => void>()

  const release = () => {
    const [next] = waiting
    if (!next) busy--
    else next() // the place is handed on: nobody can slip in between
  }

  const failed = () => {
    if (++failures < failuresInARow) return
    failures = 0
    restsUntil = performance.now() + restMs
  }
  // a thread that dies while it starts has no task yet, and tinypool would leave the task waiting
  const onBroken = (error: unknown) => {
    for (const task of running) task.abort(new LaneError('died', error))
  }

  async function start(task: unknown, name: string): Promise<unknown> {
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(new LaneError('overran')), budgetMs())
    running.add(stop)
    try {
      threads ??= open(onBroken)
      const result = await threads.run(task, { name, signal: stop.signal })
      failures = 0
      return result
    } catch (error) {
      failed()
      throw stop.signal.aborted ? stop.signal.reason : new LaneError(closed ? 'closed' : 'died', error)
    } finally {
      clearTimeout(timer)
      running.delete(stop)
      release()
    }
  }

  return {
    async run<T>(task: unknown, name: string, signal?: AbortSignal): Promise<T> {
      signal?.throwIfAborted()
      if (closed) throw new LaneError('closed')
      if (performance.now() < restsUntil) throw new LaneError('resting')
      if (busy < most()) busy++
      else if (waiting.size >= mostWaiting) throw new LaneError('full')
      else await turn(waiting, budgetMs(), signal)
      if (closed) throw new LaneError('closed')
      return (await orAborted(start(task, name), signal)) as T
    },
    async close() {
      closed = true
      for (const next of waiting) next()
      for (const task of running) task.abort(new LaneError('closed'))
      // tinypool waits for the exit of a thread that is already gone
      if (threads) await Promise.race([threads.destroy(), Bun.sleep(longestEndMs)])
    },
  }
}

/** Resolves when it is this caller's turn; throws when that takes too long, or when the caller leaves. */
function turn(waiting: Set<() => void>, budgetMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      waiting.delete(go)
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const go = () => {
      leave()
      resolve()
    }
    const onAbort = () => {
      leave()
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      leave()
      reject(new LaneError('late'))
    }, budgetMs)
    signal?.addEventListener('abort', onAbort, { once: true })
    waiting.add(go)
  })
}

/** The result of `work`, unless the signal aborts first. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
