import { askHealth, describeHealth } from './health.ts'
import type { Life } from './server-process-life.ts'
import type { ProcessTimes } from './server-process-spec.ts'

export interface WatchOptions {
  readonly life: Life
  readonly times: () => ProcessTimes
  /** Not used for so long, it is idle. */
  readonly ttlMs: number | undefined
  readonly onEnd: () => void
  readonly onHang: (why: string) => void
  /** Nobody has used it for that long; whether that is still so can be asked. */
  readonly onIdle: (isIdle: () => boolean) => void
}

/** A failed look is repeated sooner than the next one would come; none more often than this. */
const soonestMs = 1_000

/** Watches over a ready server until the function it returns is called: its end, its health, and whether anybody uses it. */
export function watchLife({ life, times, ttlMs, onEnd, onHang, onIdle }: WatchOptions): () => void {
  const over = new AbortController()
  const timers = new Set<ReturnType<typeof setTimeout>>()
  const after = (ms: number, work: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
    }, ms)
    timer.unref()
    timers.add(timer)
  }
  life.run.child.ended.then(() => over.signal.aborted || onEnd())

  const look = async (failures: number): Promise<void> => {
    const health = await askHealth(life.run.health, times().healthTimeoutMs, over.signal)
    if (over.signal.aborted) return
    if (health === 'well') return after(times().healthEveryMs, () => look(0))
    if (failures + 1 >= times().healthFailures) return onHang(describeHealth(health))
    after(Math.min(soonestMs, times().healthEveryMs), () => look(failures + 1))
  }
  after(times().healthEveryMs, () => look(0))

  const lookWhetherIdle = (ttlMs: number): void => {
    const leftMs = () => ttlMs - life.idleMs()
    if (leftMs() <= 0) onIdle(() => leftMs() <= 0)
    after(Math.max(leftMs(), soonestMs), () => lookWhetherIdle(ttlMs)) // again: it may be used before it is stopped
  }
  if (ttlMs !== undefined) after(ttlMs, () => lookWhetherIdle(ttlMs))

  return () => {
    over.abort()
    for (const timer of timers) clearTimeout(timer)
  }
}
