import type { Logger } from 'pino'
import { modelNotFound } from '../errors.ts'
import { pause } from './health.ts'
import { createOutputBuffer } from './output-buffer.ts'
import { createQueue } from './process-queue.ts'
import { noRoom, type ProcessState, type Room, type ServerProcess } from './server-process.ts'
import { createCallers } from './server-process-callers.ts'
import { cannotStart, loadTooLong, type ProcessFailure, processEnded, StartError, stopping, unloaded } from './server-process-errors.ts'
import { createHistory } from './server-process-history.ts'
import { createLife, type Lease, type Life } from './server-process-life.ts'
import { describeExit, type Run, startRun } from './server-process-run.ts'
import type { ChoosePort, ProcessSpec, ProcessTimes } from './server-process-spec.ts'
import { watchLife } from './server-process-watch.ts'

export interface ServerProcessOptions {
  readonly spec: ProcessSpec
  readonly room: Room
  readonly choosePort: ChoosePort
  readonly times: ProcessTimes
  /** Where processes are noted for the gatehouse that comes after us. */
  readonly runFolder: string
  /** The command that starts the shim; by default it is ourselves. */
  readonly runner?: readonly string[] | undefined
  readonly log: Logger
  readonly now?: () => number
  /** Its state has changed, or a use of it is over. */
  readonly onChange?: () => void
}

/** A start on its way. */
interface Attempt {
  readonly cancel: AbortController
  /** Goes on without callers. */
  readonly unasked: boolean
  /** When it got room. From then on it goes on even if its callers leave. */
  startedAt?: number
}

/** Why a start is called off, when that is no error: its callers have left, or it would start what is out of date. */
const unwanted = Symbol('unwanted')
const outdated = Symbol('outdated')

/** Makes a process that does not run yet. */
export function createServerProcess(options: ServerProcessOptions): ServerProcess {
  const { room, times, log, now = Date.now, onChange = () => undefined } = options
  const { model } = options.spec
  const output = createOutputBuffer({}, now)
  const history = createHistory(times, output, now)
  const queue = createQueue()
  let spec = options.spec
  let state: ProcessState = 'stopped'
  let since = now()
  let lastUsedAt: number | undefined
  let closed: { readonly graceMs: number } | undefined
  let attempt: Attempt | undefined
  /** From its first moment to its last; `life` only while it can be used, or could lately. */
  let run: Run | undefined
  let life: Life | undefined
  let unwatch = () => {}

  const graceMs = () => closed?.graceMs ?? times.graceMs
  const callers = createCallers<Lease>(() => {
    if (callers.size === 0 && attempt && !attempt.unasked && attempt.startedAt === undefined) attempt.cancel.abort(unwanted)
  })
  const enqueue = (job: () => Promise<void>) =>
    queue(job).catch((err: unknown) => log.error({ err, model }, 'A change of a model process has failed; this is a bug'))
  const move = (next: ProcessState) => {
    if (state === next) return
    state = next
    since = now()
    onChange()
  }

  const begin = (unasked = false) => {
    if (attempt || closed) return
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
      signal.throwIfAborted()
      const granted = () => {
        mine.startedAt = now()
        move('starting')
      }
      await room.take({ model, signal, mayEvict: () => callers.size > 0, granted })
      const started = await startRun({
        ...{ ...options, spec, output, signal, graceMs, orphanGraceMs: times.orphanGraceMs },
        loadTimeoutMs: spec.loadTimeoutMs ?? Number.POSITIVE_INFINITY,
        onChild: child => {
          run = child
        },
        onWarning: (facts, message) => log.warn(facts, message),
      })
      if (signal.aborted) await started.child.stop(graceMs())
      signal.throwIfAborted()
      attempt = undefined
      live(started, now() - (mine.startedAt ?? now()))
    } catch (error) {
      attempt = undefined
      if (run) await forgetRun(run)
      notStarted(signal.aborted ? signal.reason : error)
      beginIfAsked()
    }
  }

  const live = (started: Run, loadMs: number) => {
    history.loaded(loadMs)
    log.info({ model, pid: started.child.pid, port: started.address.port, load_ms: Math.round(loadMs) }, 'Model process is ready')
    const mine = createLife(started, now, onChange)
    life = mine
    unwatch = watchLife({
      ...{ life: mine, times, ttlMs: spec.ttlMs, now },
      onEnd: () => lose(mine, 'it ended by itself'),
      onHang: why => lose(mine, `it did not answer any more: ${why}`),
      onIdle: isIdle => enqueue(async () => (life === mine && state === 'ready' && isIdle() ? stop() : undefined)),
    })
    move('ready')
    callers.serve(mine.lease)
  }

  const notStarted = (reason: unknown) => {
    if (reason instanceof StartError) {
      const failure = history.failed(reason.message)
      tellFailure(failure)
      return callers.refuse((reason.late ? loadTooLong : cannotStart)(model, failure, now()))
    }
    if (state === 'starting') move('stopped')
    if (reason !== unwanted && reason !== outdated && reason !== noRoom) callers.refuse(reason)
  }
  const tellFailure = ({ message, lines, retryAt }: ProcessFailure) => {
    output.add(message, 'gatehouse')
    log.error(
      { model, reason: message, exit_code: history.exitCode, again_in_ms: retryAt - now(), said: lines },
      'Model process has failed',
    )
    move('failed')
  }

  /** It is gone, or as good as, although nobody wanted that. */
  const lose = (lost: Life, why: string) => {
    if (life !== lost || state !== 'ready') return
    move('stopping')
    lost.lose(processEnded(model))
    enqueue(async () => {
      if (life !== lost) return // somebody has stopped it
      await end(lost)
      const message = `${why} (${describeExit(await lost.run.child.exited)})`
      const failure = history.lost(message)
      if (failure) {
        tellFailure(failure)
        callers.refuse(cannotStart(model, failure, now()))
        return attempt?.cancel.abort(unwanted)
      }
      output.add(message, 'gatehouse')
      log.warn({ model, reason: message, again_in_ms: history.restMs() }, 'Model process is lost; it is started again')
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
    output.add('stopped', 'gatehouse')
    log.info({ model }, 'Model process is stopped')
    move('stopped')
    beginIfAsked()
  }
  const end = async (ended: Life) => {
    await ended.run.child.stop(graceMs())
    unwatch()
    lastUsedAt = ended.lastUsedAt
    life = undefined
    await forgetRun(ended.run)
  }
  const forgetRun = async ({ child }: Run) => {
    history.ended(await child.exited)
    run = undefined
  }

  /** Nobody is waited for, neither who uses it nor who wants to. */
  const breakOff = (error: unknown) => {
    attempt?.cancel.abort(error)
    callers.refuse(error)
    life?.force()
  }
  /** What comes back by itself, stays away. */
  const callOff = () => {
    if (attempt?.unasked && attempt.startedAt === undefined && callers.size === 0) attempt.cancel.abort(unwanted)
  }
  const leave = async (): Promise<void> => {
    callOff()
    if (state === 'failed') {
      history.forgive()
      move('stopped')
    }
    // it is on its way out, if it is there at all, and the next one is not to be stopped
    if (attempt && attempt.startedAt === undefined && !attempt.cancel.signal.aborted) return void (await life?.run.child.exited)
    shut()
    await enqueue(async () => {
      await stop()
      callOff() // it may have ended by itself a moment ago
    })
  }

  const use = async (signal: AbortSignal): Promise<Lease> => {
    signal.throwIfAborted()
    if (closed) throw stopping()
    if (state === 'ready' && life) return life.lease()
    if (state === 'failed' && history.failure && history.restMs() > 0) throw cannotStart(model, history.failure, now())
    const lease = callers.join(signal)
    begin()
    return lease
  }
  return {
    model,
    output,
    use,
    get state() {
      return state
    },
    snapshot: () => ({
      state,
      since,
      pid: run?.child.pid,
      port: run?.address.port,
      lastUsedAt: life?.lastUsedAt ?? lastUsedAt,
      inFlight: life?.inFlight ?? 0,
      queued: callers.size,
      restarts: history.restarts,
      exitCode: history.exitCode,
      failure: history.failure,
      etaMs: attempt?.startedAt === undefined ? undefined : history.etaMs(attempt.startedAt),
    }),
    async ensureReady(signal) {
      const lease = await use(signal)
      lease.release()
    },
    warm: () =>
      void enqueue(async () => {
        if (!life) begin(true)
      }),
    unload({ force = false } = {}) {
      if (force) breakOff(unloaded(model))
      return leave()
    },
    retire() {
      callers.refuse(modelNotFound(model))
      attempt?.cancel.abort(unwanted)
      return leave()
    },
    update(next) {
      const isSame = next.print === spec.print
      spec = next
      if (isSame) return
      history.forgive()
      if (state === 'failed') move('stopped')
      if (attempt?.startedAt !== undefined) attempt.cancel.abort(outdated)
      if (state !== 'ready') return
      shut()
      enqueue(stop)
    },
    close(graceMs) {
      closed = { graceMs }
      breakOff(stopping())
      return leave()
    },
    family: () => run?.child.family() ?? [],
  }
}
