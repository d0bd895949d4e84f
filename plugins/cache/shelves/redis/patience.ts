/** How long requests wait for Redis. */
export interface Patience {
  /** What comes in time; undefined when it does not, and for errors. */
  wait<T>(promise: Promise<T>): Promise<T | undefined>
  /** True for a while after something did not come in time: nobody should wait then. */
  readonly over: boolean
}

/** The store itself gives up at 250 ms, for everybody; a request waits less. */
const patienceMs = 80
/** When our own event loop was held up, the answer may lie in the socket. */
const secondLookMs = 15
const restMs = 1000

/** Full of patience. */
export function createPatience(): Patience {
  let restsUntil = 0
  return {
    wait: <T>(promise: Promise<T>) =>
      new Promise<T | undefined>(resolve => {
        const giveUp = () => {
          restsUntil = performance.now() + restMs
          resolve(undefined)
        }
        let timer = setTimeout(() => {
          timer = setTimeout(giveUp, secondLookMs).unref()
        }, patienceMs).unref()
        const settle = (value: T | undefined) => {
          clearTimeout(timer)
          resolve(value)
        }
        promise.then(settle, () => settle(undefined))
      }),
    get over() {
      return performance.now() < restsUntil
    },
  }
}
