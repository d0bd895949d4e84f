import { within } from '../within.ts'
import type { Clocks } from './clocks.ts'
import type { Run } from './server-process-run.ts'
import type { ServerAddress } from './server-process-spec.ts'

/** The use of a ready server by one request. It is not stopped before that is over, unless by force. */
export interface Lease extends ServerAddress, Disposable {
  /** Aborts when the server is gone before its time; the reason is an error for the client. */
  readonly gone: AbortSignal
  /** The request is over. Twice is once. */
  release(): void
}

/** True when the server of a lease is gone, or will be in a moment: a connection may fail before the news of the end are here. */
export const isLost = (lease: Pick<Lease, 'gone'>, withinMs = 250): Promise<boolean> =>
  within(
    withinMs,
    new Promise(resolve => (lease.gone.aborted ? resolve(true) : lease.gone.addEventListener('abort', resolve, { once: true }))),
  )

/** A ready server and those who use it. */
export interface Life {
  readonly run: Run
  readonly inFlight: number
  /** Milliseconds since the epoch: the beginning or the end of the last use. */
  readonly lastUsedAt: number
  /** What has passed since then; 0 while it is used. */
  idleMs(): number
  lease(): Lease
  /** Nobody may count on it any more, for this reason. */
  lose(error: unknown): void
  /** Resolves when nobody uses it, or nobody is to be waited for. */
  idle(): Promise<void>
  /** Ends the wait for those who use it. */
  force(): void
}

/** Begins with nobody. `onRelease` is called after each use. */
export function createLife(run: Run, { now, steady }: Clocks, onRelease: () => void): Life {
  const lost = new AbortController()
  const waiting: (() => void)[] = []
  let forced = false
  let inFlight = 0
  let lastUsedAt = now()
  let idleSince = steady()
  const tell = () => {
    if (inFlight === 0 || forced) for (const resolve of waiting.splice(0)) resolve()
  }
  const force = () => {
    forced = true
    tell()
  }
  run.child.ended.then(force) // whoever still thinks they use it, does not
  return {
    run,
    get inFlight() {
      return inFlight
    },
    get lastUsedAt() {
      return lastUsedAt
    },
    idleMs: () => (inFlight > 0 ? 0 : steady() - idleSince),
    lease() {
      let held = true
      inFlight++
      lastUsedAt = now()
      const release = () => {
        if (!held) return
        held = false
        inFlight--
        lastUsedAt = now()
        idleSince = steady()
        tell()
        onRelease()
      }
      return { ...run.address, gone: lost.signal, release, [Symbol.dispose]: release }
    },
    lose: error => lost.abort(error),
    idle: () => (inFlight === 0 || forced ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))),
    force,
  }
}
