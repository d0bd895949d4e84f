import type { Clocks } from './clocks.ts'
import { pause } from './health.ts'
import type { OutputBuffer } from './output-buffer.ts'
import { createQueue } from './process-queue.ts'
import { noRoom, type ProcessState, type Room } from './server-process.ts'
import type { Callers } from './server-process-callers.ts'
import { cannotStart, loadTooLong, type ProcessFailure, processEnded, StartError, unloaded } from './server-process-errors.ts'
import type { History } from './server-process-history.ts'
import { createLife, type Lease, type Life } from './server-process-life.ts'
import { describeExit, type Run, startRun } from './server-process-run.ts'
import type { ChoosePort, ProcessSpec, ProcessTimes } from './server-process-spec.ts'
import type { Tell } from './server-process-tell.ts'
import { watchLife } from './server-process-watch.ts'

export interface MachineOptions {
  readonly model: string
  /** As it is to be from the next start on. */
  readonly spec: () => ProcessSpec
  readonly room: Room
  readonly choosePort: ChoosePort
  readonly times: () => ProcessTimes
  readonly graceMs: () => number
  readonly runFolder: string
  readonly runner?: readonly string[] | undefined
  readonly callers: Callers<Lease>
  readonly history: History
  readonly output: OutputBuffer
  readonly tell: Tell
  readonly clocks: Clocks
  readonly onChange: () => void
  /** No start begins any more. */
  readonly isClosed: () => boolean
}

/** The states of a process and the ways between them. Everything that takes time is a job of one queue. */
export interface Machine {
  readonly state: ProcessState
  readonly since: number
  /** From its first moment to its last. */
  readonly run: Run | undefined
  /** While it can be used, and until it has ended. */
  readonly life: Life | undefined
  /** What has passed since the start that goes on got its room. */
  readonly loadingMs: number | undefined
  /** Lets a start begin when none is on its way; one that nobody has asked for only takes room that is free. */
  begin(unasked?: boolean): void
  /** The same after all that is to be done before. */
  beginLater(): void
  /** The last caller has left: a start that has no room yet is called off. */
  nobodyWaits(): void
  /** Calls off whatever start is on its way; `begun`: only one that has room already, and begins anew for those who wait. */
  callOff(which?: 'begun'): void
  /** Stops what runs when nobody uses it. A start that is still to come stays. */
  leave(): Promise<void>
  /** It may be tried again at once. */
  forgive(): void
}

/** A start on its way. */
interface Attempt {
  readonly cancel: AbortController
  /** Goes on without callers. */
  readonly unasked: boolean
  /** By the steady clock. From then on it goes on even if its callers leave. */
  startedAt?: number
}

/** Stopped, with nothing to do. */
export function createMachine(options: MachineOptions): Machine {
  const { model, room, times, graceMs, callers, history, tell, clocks, onChange } = options
  const { now, steady } = clocks
  const queue = createQueue()
  let state: ProcessState = 'stopped'
  let since = now()
  let attempt: Attempt | undefined
  let run: Run | undefined
  let life: Life | undefined
  let unwatch = () => {}

  const enqueue = (job: () => Promise<void>) => queue(job).catch(tell.bug)
  const move = (next: ProcessState) => {
    if (state === next) return
    state = next
    since = now()
    onChange()
  }

  const begin = (unasked = false) => {
    if (attempt || options.isClosed()) return
    const mine: Attempt = { cancel: new AbortController(), unasked }
    attempt = mine
    enqueue(() => start(mine))
  }
  /** After whatever has happened: those who still wait for it are not forgotten. */
  const beginIfAsked = () => {
    if (callers.size > 0 && !life) begin()
  }

  const start = async (mine: Attempt): Promise<void> => {
    const { signal } = mine.cancel
    try {
      await pause(history.restMs(), signal)
      if (!mine.unasked && callers.size === 0) mine.cancel.abort()
      signal.throwIfAborted()
      const granted = () => {
        mine.startedAt = steady()
        move('starting')
      }
      await room.take({ model, signal, mayEvict: () => callers.size > 0, granted })
      const started = await startRun({
        ...{ ...options, spec: options.spec(), signal, orphanGraceMs: times().orphanGraceMs },
        onChild: child => {
          run = child
        },
        onWarning: tell.warn,
      })
      if (signal.aborted) await started.child.stop(graceMs())
      signal.throwIfAborted()
      attempt = undefined
      live(started, steady() - (mine.startedAt ?? steady()))
    } catch (error) {
      if (run) await forget(run)
      attempt = undefined
      if (error instanceof StartError && !signal.aborted) fail(history.failed(error.message), error.late)
      else {
        if (state === 'starting') move('stopped')
        if (!signal.aborted && mine.unasked) tell.notBrought(error)
        if (!signal.aborted && error !== noRoom) callers.refuse(error)
        beginIfAsked()
      }
    }
  }

  const live = (started: Run, loadMs: number) => {
    history.loaded(loadMs)
    tell.ready(started, loadMs)
    const mine = createLife(started, clocks, onChange)
    life = mine
    unwatch = watchLife({
      ...{ life: mine, times, ttlMs: options.spec().ttlMs },
      onEnd: () => lose(mine, 'it ended by itself'),
      onHang: why => lose(mine, `it did not answer any more: ${why}`),
      onIdle: isIdle => enqueue(async () => (life === mine && state === 'ready' && isIdle() ? stop() : undefined)),
    })
    callers.serve(mine.lease) // before anybody hears that it is ready, and idle
    move('ready')
  }

  const fail = (failure: ProcessFailure, late = false) => {
    tell.failed(failure, history.exitCode)
    move('failed')
    callers.refuse((late ? loadTooLong : cannotStart)(model, failure, history.restMs()))
  }

  /** It is gone, or as good as, although nobody wanted that. */
  const lose = (lost: Life, why: string) => {
    if (life !== lost) return
    lost.lose(processEnded(model))
    lost.force() // it may be stopping, and waiting for those who use it: they will never be done
    if (state !== 'ready') return
    move('stopping')
    enqueue(async () => {
      if (life !== lost) return // somebody has stopped it
      await end(lost)
      const message = `${why} (${describeExit(await lost.run.child.exited)})`
      const failure = history.lost(message)
      if (failure) return fail(failure)
      tell.lost(message, history.restMs())
      move('stopped')
      begin(true)
    })
  }

  /** From this moment on nobody new may use it. */
  const shut = () => {
    if (state === 'ready') move('stopping')
  }
  const stop = async (): Promise<void> => {
    const stopped = life
    if (!stopped) return
    shut()
    await stopped.idle()
    stopped.lose(unloaded(model))
    await end(stopped)
    tell.stopped()
    move('stopped')
    beginIfAsked()
  }
  const end = async (ended: Life) => {
    await ended.run.child.stop(graceMs())
    unwatch()
    history.used(ended.lastUsedAt)
    life = undefined
    await forget(ended.run)
  }
  const forget = async ({ child }: Run) => {
    history.ended(await child.exited)
    run = undefined
  }

  const isToCome = () => attempt !== undefined && attempt.startedAt === undefined && !attempt.cancel.signal.aborted
  /** Whether it loads already or not: nobody waits for it, and somebody wants it gone. */
  const callOffUnwanted = () => {
    if (callers.size === 0) attempt?.cancel.abort()
  }
  const forgive = () => {
    history.forgive()
    if (state === 'failed') move('stopped')
  }
  return {
    get state() {
      return state
    },
    get since() {
      return since
    },
    get run() {
      return run
    },
    get life() {
      return life
    },
    get loadingMs() {
      return attempt?.startedAt === undefined ? undefined : steady() - attempt.startedAt
    },
    begin,
    beginLater: () =>
      void enqueue(async () => {
        if (!life) begin(true)
      }),
    nobodyWaits() {
      if (isToCome() && !attempt?.unasked) attempt?.cancel.abort()
    },
    callOff(which) {
      if (which !== 'begun' || attempt?.startedAt !== undefined) attempt?.cancel.abort()
    },
    async leave() {
      callOffUnwanted()
      // what runs is on its way out then, and the next one is not to be stopped
      if (isToCome()) return void (await life?.run.child.exited)
      shut()
      await enqueue(async () => {
        await stop()
        callOffUnwanted() // it may have ended by itself a moment ago
      })
    },
    forgive,
  }
}
