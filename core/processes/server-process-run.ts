import { connect } from 'node:net'
import { secretsInArguments } from '../secrets/values.ts'
import { hideAll, looksSecret } from '../secrets.ts'
import { describeHealth, type HealthCheck, untilWell } from './health.ts'
import { portsOf, whoListens } from './health-listener.ts'
import { makeMark } from './mark.ts'
import type { OutputBuffer } from './output-buffer.ts'
import { type PidFile, writePidFile } from './pid-file.ts'
import { startOf } from './process-identity.ts'
import { StartError } from './server-process-errors.ts'
import type { ChoosePort, ChosenPort, Launch, ProcessSpec, ServerAddress } from './server-process-spec.ts'
import { type Child, type ChildExit, spawnChild } from './spawn-child.ts'

/** One life of a model server, from its start to its end. */
export interface Run {
  readonly address: ServerAddress
  readonly health: HealthCheck
  readonly child: Child
}

export interface RunOptions {
  readonly spec: ProcessSpec
  readonly choosePort: ChoosePort
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: () => number
  /** The same when gatehouse itself is gone. */
  readonly orphanGraceMs: number
  readonly output: OutputBuffer
  readonly runFolder: string
  readonly runner?: readonly string[] | undefined
  /** Gives up; the child is ended first. */
  readonly signal: AbortSignal
  /** There is a child now; it may be the next one after somebody has taken the port. */
  readonly onChild: (run: Run) => void
  readonly onWarning: (facts: object, message: string) => void
}

/** Somebody else may be quicker to listen on the port that was chosen. */
const mostPorts = 3

/**
 * Starts a server and resolves when it is well. Otherwise it is ended, with all it has started, and then this rejects: with a
 * StartError that says what went wrong, or with the reason of the signal.
 */
export async function startRun(options: RunOptions): Promise<Run> {
  for (let ports = 1; ; ports++) {
    const outcome = await tryPort(options)
    if (typeof outcome === 'object') return outcome
    options.output.add(`port ${outcome} was taken by another program`, 'gatehouse')
    options.onWarning({ port: outcome }, 'Another program has taken the port of a model process')
    if (ports === mostPorts) throw new StartError(`its port was taken by another program, ${mostPorts} times in a row`)
  }
}

/** The run, or the number of the port when that was taken from us. */
async function tryPort(options: RunOptions): Promise<Run | number> {
  const { spec, choosePort, graceMs, signal, onChild } = options
  let chosen: ChosenPort | undefined
  let run: Run | undefined
  try {
    chosen = await choosePort()
    const { port, release } = chosen
    signal.throwIfAborted()
    const launch = await spec.launch(port)
    run = await spawnServer(options, launch, port)
    onChild(run)
    run.child.exited.then(release)
    const taken = await untilReady(options, launch, run)
    if (!taken) return run
    await run.child.stop(graceMs())
    return port
  } catch (error) {
    if (run) await run.child.stop(graceMs())
    else chosen?.release()
    if (signal.aborted || error instanceof StartError) throw error
    throw new StartError((error as Error).message, false, { cause: error })
  }
}

async function spawnServer(options: RunOptions, launch: Launch, port: number): Promise<Run> {
  const { spec, output, orphanGraceMs, runFolder, runner, onWarning } = options
  const { command, args, env, cwd, stop, apiKey } = launch
  const mark = makeMark()
  const note: PidFile = writePidFile(runFolder, { model: spec.model, mark, port, command }, err =>
    onWarning({ err }, 'A model process could not be noted in the data folder; if gatehouse is killed, it may be left'),
  )
  const hide = hideAll(secretsIn(launch))
  try {
    const child = await spawnChild({
      command,
      args,
      env,
      ...(cwd !== undefined && { cwd }),
      stop,
      mark,
      // who is stopped by a command lives elsewhere, and is only asked by it
      graceMs: stop ? Math.max(orphanGraceMs, options.graceMs()) : orphanGraceMs,
      onOutput: (line, from) => output.add(hide(line), from),
      ...(runner && { runner }),
    })
    note.started(child.pid, startOf(child.pid))
    child.exited.then(note.remove)
    output.add(`process ${child.pid} started on port ${port}`, 'gatehouse')
    const baseUrl = `http://127.0.0.1:${port}`
    return { child, address: { baseUrl, port, apiKey }, health: { url: baseUrl + launch.healthPath, apiKey } }
  } catch (error) {
    note.remove()
    throw error
  }
}

/** A server that is well answers this quickly whatever it is asked, and one that freezes now must not hold up the start for ever. */
const checkMs = 10_000
const soonestMs = 1_000

/** What is usual for those that leave it to another process to go on. */
const foreground = "; a model's command must stay in the foreground, and end when its server ends"

/** False when the server is ready, true when its port belongs to another program. */
async function untilReady({ spec, signal }: RunOptions, launch: Launch, { child, address, health: check }: Run): Promise<boolean> {
  const { loadTimeoutMs = Number.POSITIVE_INFINITY } = spec
  const over = new AbortController()
  let exit: ChildExit | undefined
  child.ended.then(how => {
    exit = how
    over.abort()
  })
  const stop = AbortSignal.any([signal, over.signal])
  const begun = performance.now()
  const health = await untilWell(check, loadTimeoutMs, stop)
  if (health === 'well' && !exit) {
    if (!launch.listensElsewhere && whoListens(address.port, child.family()) === 'theirs') return true
    const late = AbortSignal.timeout(Math.min(checkMs, Math.max(soonestMs, loadTimeoutMs - (performance.now() - begun))))
    const wrong = await spec.check?.(address, AbortSignal.any([stop, late])).catch((error: NodeJS.ErrnoException) => error)
    if (wrong?.code === 'EADDRINUSE') return true
    if (wrong && !exit && !signal.aborted && late.aborted) throw new StartError('it said that it was well, and then answered no more', true)
    if (wrong && !exit) throw wrong
  }
  signal.throwIfAborted()
  if (exit) {
    await child.exited
    if (await isTaken(address.port)) return true
    throw new StartError(`it ended before it was ready, with ${describeExit(exit)}${exit.code === 0 ? foreground : ''}`)
  }
  if (health === 'well') return false
  const elsewhere = launch.listensElsewhere ? '' : describePorts(address.port, portsOf(child.family()))
  const said = `asked at ${launch.healthPath}, ${describeHealth(health)}${elsewhere}`
  throw new StartError(`it was not ready within ${loadTimeoutMs / 1000} s; ${said}`, true)
}

/** What is wrong when it listens, but not where it was told to. */
const describePorts = (wanted: number, ports: readonly number[]): string =>
  ports.length === 0 || ports.includes(wanted) ? '' : `; it listens on port ${ports.join(' and ')} and not on \${PORT}, which was ${wanted}`

/** In words, for the log. */
export const describeExit = ({ code, signal }: ChildExit): string => (signal === null ? `exit code ${code}` : `signal ${signal}`)

/** True when somebody listens on a port of this machine. */
function isTaken(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' })
    const answer = (taken: boolean) => {
      socket.destroy()
      resolve(taken)
    }
    socket.setTimeout(1_000, () => answer(true))
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
  })
}

/** The longest first, for one may begin like another. */
const secretsIn = ({ env, apiKey, args, stop }: Launch): string[] =>
  [
    ...(apiKey === undefined ? [] : [apiKey]),
    ...Object.entries(env).flatMap(([name, value]) => (looksSecret(name, value) ? [value] : [])),
    ...secretsInArguments([...args, ...(stop?.args ?? [])]), // some programs tell all their arguments
  ]
    .filter(({ length }) => length > 3)
    .sort((a, b) => b.length - a.length)
