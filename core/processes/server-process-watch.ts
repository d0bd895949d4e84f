import { askHealth, describeHealth } from './health.ts'
import { cpuTimeOf } from './process-cpu.ts'
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

/** Looks in a row that found nothing, those of them that count, and what it had worked by the last one. */
interface Missed {
  readonly failures: number
  readonly looks: number
  readonly work?: Work | undefined
}

interface Work {
  readonly atMs: number
  readonly cpuMs: number
}

const none: Missed = { failures: 0, looks: 0 }

/**
 * Many servers answer nobody while they compute: those with one thread, and a llama-server with more requests than it has threads
 * for connections. While it is used and works, a look that found nothing does not count; but so many times as many are too many.
 */
const patience = 20
/** Of one processor. Who waits for something that never comes needs none, and who computes all that others leave to it. */
const atWork = 0.03

function workOf({ run }: Life): Work | undefined {
  const cpuMs = cpuTimeOf(run.child.family())
  return cpuMs === undefined ? undefined : { atMs: performance.now(), cpuMs }
}

const isAtWork = ({ inFlight }: Life, before: Work | undefined, now: Work | undefined): boolean =>
  inFlight > 0 && before !== undefined && now !== undefined && now.cpuMs - before.cpuMs > (now.atMs - before.atMs) * atWork

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

  const look = async (missed: Missed): Promise<void> => {
    const health = await askHealth(life.run.health, times().healthTimeoutMs, over.signal)
    if (over.signal.aborted) return
    const { healthEveryMs, healthFailures } = times()
    if (health === 'well') return after(healthEveryMs, () => look(none))
    const work = workOf(life)
    const failures = missed.failures + (isAtWork(life, missed.work, work) ? 0 : 1)
    const looks = missed.looks + 1
    if (failures >= healthFailures || looks >= healthFailures * patience) return onHang(describeHealth(health))
    after(Math.min(soonestMs, healthEveryMs), () => look({ failures, looks, work }))
  }
  after(times().healthEveryMs, () => look(none))

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
