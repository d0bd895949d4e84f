import type { Logger } from 'pino'
import { modelNotFound } from '../errors.ts'
import { within } from '../within.ts'
import { type Clocks, machineClocks } from './clocks.ts'
import type { AskGpuMemory } from './gpu-memory.ts'
import { endLeftovers } from './pid-file-leftovers.ts'
import type { ServerProcess } from './server-process.ts'
import { createServerProcess } from './server-process-create.ts'
import type { Lease } from './server-process-life.ts'
import { type ChoosePort, type ProcessSpec, type ProcessTimes, usualTimes } from './server-process-spec.ts'
import { createMemoryWatch, type Learn } from './supervisor-memory.ts'
import { blockersOf, createStartRoom, type EvictionPolicy, type Running } from './supervisor-room.ts'
import { type RunningRow, rowOf } from './supervisor-rows.ts'

export type { ProcessSnapshot, ProcessState, ServerProcess } from './server-process.ts'
export type { Lease } from './server-process-life.ts'
export type { EvictionPolicy, Running, Verdict } from './supervisor-room.ts'
export type { RunningRow } from './supervisor-rows.ts'

/** Owns every model server that gatehouse starts itself. */
export interface Supervisor {
  /** True when the config has a process for this model. */
  has(model: string): boolean
  /** For those who look on, and for its output. Those that are on their way out are there too. */
  get(model: string): ServerProcess | undefined
  list(): readonly RunningRow[]
  /**
   * The use of a model's server: starts it when needed, and others go for it as the policy says. Release it when the request is
   * over. Rejects with the reason of the signal, or with a GatewayError.
   */
  use(model: string, signal: AbortSignal): Promise<Lease>
  /** Only brings it up. */
  load(model: string, signal: AbortSignal): Promise<void>
  /** Stops it when its requests are over, or by `force` at once. False when there is no such model. */
  unload(model: string, options?: { readonly force?: boolean }): Promise<boolean>
  unloadAll(options?: { readonly force?: boolean }): Promise<void>
  /** Where somebody is who waits for a model; undefined when nobody has to wait. */
  progress(model: string): Progress | undefined
  /** Who must come to rest so that a model can start; none when there is room for it, or never will be. */
  blockersOf(model: string): readonly string[]
  /** Somebody who knows of requests before they come here, and wants to know of changes. There is one at most. */
  watch(watcher: Watcher): void
  /** A claim has ended: there may be room now. */
  look(): void
  /** Takes over a config. Processes whose own part has not changed go on, all others are stopped once nobody uses them. */
  configure(plan: Plan): void
  /** Ends everything at the same time; within the grace time of a process or less, and a moment. Twice is once. */
  close(graceMs: number): Promise<void>
}

/** A queue in front of the processes. */
export interface Watcher {
  /** Requests that have a place at a model, or will have one before it may go. */
  claimsOf(model: string): number
  /** Requests that wait for a place at a model. */
  queuedOf(model: string): number
  /** A process has changed its state. */
  onChange(): void
}

/** What the config says of processes. */
export interface Plan {
  readonly models: readonly ProcessSpec[]
  readonly policy: EvictionPolicy
  readonly choosePort: ChoosePort
  readonly times?: Partial<SupervisorTimes>
}

/** What can be told to somebody who waits. */
export interface Progress {
  readonly state: 'queued' | 'starting' | 'stopping'
  /** In the line of those who want to start. */
  readonly queuePosition?: number
  /** What is left of the usual time to load. */
  readonly etaMs?: number
}

/** How long what may take. */
export interface SupervisorTimes extends ProcessTimes {
  /** So long a start waits for others to be idle by themselves; then they get no more requests until it had its turn. */
  readonly patienceMs: number
  readonly measureEveryMs: number
}

const usual: SupervisorTimes = { ...usualTimes, patienceMs: 15_000, measureEveryMs: 10_000 }

export interface SupervisorOptions {
  readonly plan: Plan
  /** `run` in the data folder; the processes are noted there for the gatehouse that comes after us. */
  readonly runFolder: string
  readonly log: Logger
  readonly learn?: Learn
  readonly askGpus?: AskGpuMemory
  /** The command that starts the shim; by default it is ourselves. */
  readonly runner?: readonly string[] | undefined
  readonly clocks?: Clocks
}

/** What the shim of a process may take longer than it was told. */
const spareMs = 1_500

/** Makes a supervisor, and ends what an earlier one has left behind. Nothing is started before somebody asks, but for `preload`. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { runFolder, log, runner, clocks = machineClocks } = options
  let plan = options.plan
  const times = (): SupervisorTimes => ({ ...usual, ...plan.times })
  let listed: ReadonlySet<string> = new Set()
  /** Those that are not in the config any more stay until they have ended. */
  const processes = new Map<string, ServerProcess>()
  let watcher: Watcher | undefined
  let closed: Promise<void> | undefined

  const memory = createMemoryWatch(() => processes.values(), options.learn, options.askGpus)
  const running = (): readonly Running[] => {
    const now = clocks.now() // one for all of them, because it is their order that counts
    return [...processes.values()].flatMap(process => runningOf(process, now, memory.of(process), watcher?.claimsOf(process.model)) ?? [])
  }
  const room = createStartRoom({
    policy: plan.policy,
    running: () => running(),
    evict: model => processes.get(model)?.unload() ?? Promise.reject(new Error(`the eviction policy names "${model}", which does not run`)),
    patienceMs: () => times().patienceMs,
  })
  const leftovers = endLeftovers(runFolder, times().orphanGraceMs).then(
    notes => {
      for (const { model, pid } of notes) log.warn({ model, pid }, 'A model process that an earlier gatehouse has left behind was ended')
    },
    (err: unknown) => log.warn({ err }, 'Could not look for model processes that an earlier gatehouse has left behind'),
  )
  const measuring = setInterval(memory.measure, times().measureEveryMs)
  measuring.unref()

  const create = (spec: ProcessSpec): ServerProcess => {
    let wasReady = false
    const process = createServerProcess({
      ...{ spec, room, times, runFolder, runner, log, clocks },
      async choosePort() {
        await leftovers // they hold ports and memory
        return plan.choosePort()
      },
      onChange() {
        room.look()
        watcher?.onChange()
        if (process.state === 'ready' && !wasReady) memory.measure()
        wasReady = process.state === 'ready'
      },
    })
    return process
  }
  const retire = async (process: ServerProcess) => {
    await process.retire()
    if (!listed.has(process.model)) processes.delete(process.model)
  }
  const configure = (next: Plan) => {
    if (closed) return
    plan = next
    listed = new Set(plan.models.map(({ model }) => model))
    for (const spec of plan.models) {
      const process = processes.get(spec.model)
      if (process) process.update(spec)
      else processes.set(spec.model, create(spec))
    }
    for (const process of processes.values()) if (!listed.has(process.model)) retire(process)
    room.setPolicy(plan.policy)
    for (const { model, preload } of plan.models) if (preload) processes.get(model)?.warm()
  }
  configure(plan)

  const known = (model: string): ServerProcess => {
    const process = listed.has(model) ? processes.get(model) : undefined
    if (!process) throw modelNotFound(model)
    return process
  }
  const closeAll = async (mostMs: number) => {
    clearInterval(measuring)
    const graceMs = Math.min(mostMs, times().graceMs) // who is deaf to SIGTERM need not hold up the end of the house
    const ends = [...processes.values()].map(process => process.close(graceMs))
    await within(graceMs + spareMs, Promise.all([...ends, leftovers]))
  }
  return {
    configure,
    has: model => listed.has(model),
    get: model => processes.get(model),
    list: () => [...processes.values()].map(process => rowOf(process, memory.of(process), watcher?.queuedOf(process.model))),
    use: async (model, signal) => known(model).use(signal),
    load: async (model, signal) => known(model).ensureReady(signal),
    async unload(model, how) {
      const process = processes.get(model)
      await process?.unload(how)
      return process !== undefined
    },
    async unloadAll(how) {
      await Promise.all([...processes.values()].map(process => process.unload(how)))
    },
    progress(model) {
      const process = processes.get(model)
      return process && progressOf(process, room.positionOf(model))
    },
    blockersOf: model => blockersOf(plan.policy, model, running()),
    watch(next) {
      watcher = next
    },
    look: room.look,
    close(graceMs) {
      closed ??= closeAll(graceMs)
      return closed
    },
  }
}

/** Undefined when it takes no room. */
function runningOf(process: ServerProcess, now: number, memoryBytes: number | undefined, claims = 0): Running | undefined {
  const { state, idleMs, inFlight } = process.snapshot()
  if (state === 'stopped' || state === 'failed') return undefined
  // claims on one that is stopping are on its next start
  const uses = state === 'ready' ? Math.max(inFlight, claims) : inFlight
  return { model: process.model, state, lastUsedAt: now - idleMs, inFlight: uses, memoryBytes }
}

function progressOf(process: ServerProcess, queuePosition: number | undefined): Progress | undefined {
  const { state, queued, etaMs } = process.snapshot()
  if (state === 'starting') return { state, ...(etaMs !== undefined && { etaMs }) }
  if (state === 'stopping') return { state }
  return queued > 0 ? { state: 'queued', ...(queuePosition !== undefined && { queuePosition }) } : undefined
}
