/** Runs jobs one after another, in the order they were given. */
export type ProcessQueue = <T>(job: () => Promise<T>) => Promise<T>

/** Makes an empty queue. A job that fails only fails whoever gave it. */
export function createQueue(): ProcessQueue {
  let last: Promise<unknown> = Promise.resolve()
  return job => {
    const done = last.then(job)
    last = done.catch(() => undefined)
    return done
  }
}
