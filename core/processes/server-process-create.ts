import type { Logger } from 'pino'
import { modelNotFound } from '../errors.ts'
import { type Clocks, machineClocks } from './clocks.ts'
import { createOutputBuffer } from './output-buffer.ts'
import type { Room, ServerProcess } from './server-process.ts'
import { createCallers } from './server-process-callers.ts'
import { cannotStart, stopping, unloaded } from './server-process-errors.ts'
import { createHistory } from './server-process-history.ts'
import type { Lease } from './server-process-life.ts'
import { createMachine } from './server-process-machine.ts'
import type { ChoosePort, ProcessSpec, ProcessTimes } from './server-process-spec.ts'
import { createTell } from './server-process-tell.ts'

export interface ServerProcessOptions {
  readonly spec: ProcessSpec
  readonly room: Room
  readonly choosePort: ChoosePort
  /** Asked each time: a config may change them. */
  readonly times: () => ProcessTimes
  /** Where processes are noted for the gatehouse that comes after us. */
  readonly runFolder: string
  /** The command that starts the shim; by default it is ourselves. */
  readonly runner?: readonly string[] | undefined
  readonly log: Logger
  readonly clocks?: Clocks
  /** Its state has changed, or a use of it is over. */
  readonly onChange?: () => void
}

/** Makes a process that does not run yet. */
export function createServerProcess(options: ServerProcessOptions): ServerProcess {
  const { times, log, clocks = machineClocks, onChange = () => undefined } = options
  const { model } = options.spec
  const output = createOutputBuffer({}, clocks.now)
  const history = createHistory(times, output, clocks)
  let spec = options.spec
  let closed: { readonly graceMs: number } | undefined
  const callers = createCallers<Lease>(() => {
    if (callers.size === 0) machine.nobodyWaits()
  })
  const machine = createMachine({
    ...{ ...options, model, callers, history, output, clocks, onChange },
    tell: createTell(model, output, log),
    spec: () => spec,
    graceMs: () => closed?.graceMs ?? times().graceMs,
    isClosed: () => closed !== undefined,
  })

  const use = async (signal: AbortSignal): Promise<Lease> => {
    signal.throwIfAborted()
    if (closed) throw stopping()
    if (machine.state === 'ready' && machine.life) return machine.life.lease()
    const restMs = history.restMs()
    if (machine.state === 'failed' && history.failure && restMs > 0) throw cannotStart(model, history.failure, restMs)
    const lease = callers.join(signal)
    machine.begin()
    return lease
  }
  /** Nobody is waited for, neither who uses it nor who wants to. */
  const breakOff = (error: unknown) => {
    machine.callOff()
    callers.refuse(error)
    machine.life?.force()
  }
  return {
    model,
    output,
    use,
    get state() {
      return machine.state
    },
    snapshot: () => ({
      state: machine.state,
      since: machine.since,
      pid: machine.run?.child.pid,
      port: machine.run?.address.port,
      lastUsedAt: machine.life?.lastUsedAt ?? history.lastUsedAt,
      idleMs: machine.life?.idleMs() ?? 0,
      inFlight: machine.life?.inFlight ?? 0,
      queued: callers.size,
      restarts: history.restarts,
      exitCode: history.exitCode,
      failure: history.failure,
      etaMs: machine.loadingMs === undefined ? undefined : history.etaMs(machine.loadingMs),
    }),
    async ensureReady(signal) {
      const lease = await use(signal)
      lease.release()
    },
    warm: machine.beginLater,
    unload({ force = false } = {}) {
      if (force) breakOff(unloaded(model))
      if (machine.state === 'failed') machine.forgive()
      return machine.leave()
    },
    retire() {
      callers.refuse(modelNotFound(model))
      machine.callOff()
      return machine.leave()
    },
    update(next) {
      const isSame = next.print === spec.print
      spec = next
      if (isSame) return
      machine.forgive()
      machine.callOff('begun')
      if (machine.state === 'ready') machine.leave()
    },
    close(graceMs) {
      closed = { graceMs }
      breakOff(stopping())
      const left = machine.leave()
      machine.run?.child.stop(graceMs) // it may be stopping already, and have been given more time
      return left
    },
    family: () => machine.run?.child.family() ?? [],
  }
}
