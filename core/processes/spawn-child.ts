import { within } from '../within.ts'
import { findCommand } from './find-command.ts'
import type { ChildExit } from './messages.ts'
import { endGroup } from './process-group.ts'
import { startShim } from './shim.ts'

export type { ChildExit } from './messages.ts'

/** A program that gatehouse has started, and that does not outlive it. */
export interface Child {
  /** The program's own. */
  readonly pid: number
  /** Resolves when it and everything it started are gone. Never rejects. */
  readonly exited: Promise<ChildExit>
  /** SIGTERM to it and all it started, SIGKILL after `graceMs`; resolves when they are gone. Stopping twice is fine. */
  stop(graceMs: number): Promise<void>
}

export interface ChildOptions {
  /** A name to be found in the PATH of `env`, or a path, which counts from `cwd`. */
  readonly command: string
  readonly args?: readonly string[]
  /** All it gets: nothing of ours is added. `safeEnvironment` is a good beginning. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  /** How long it may take to end when gatehouse itself is gone (5 s). */
  readonly graceMs?: number
  /** Gets every line it writes. Without it, they are thrown away. */
  readonly onOutput?: (line: string, from: 'stdout' | 'stderr') => void
  /** The command that starts the shim; by default it is ourselves. */
  readonly runner?: readonly string[]
}

/** What a shim may take longer than it was told, until it is ended too. */
const spareMs = 3_000

/** Starts a program behind the shim. Rejects with a sentence that names the command when it cannot be started. */
export async function spawnChild(options: ChildOptions): Promise<Child> {
  const { command, args = [], env, cwd = process.cwd(), graceMs = 5_000, onOutput, runner } = options
  const cannotStart = (reason: string) => new Error(`the command "${command}" could not be started: ${reason}`)
  const started = Promise.withResolvers<number>()
  let exit: ChildExit | undefined
  const shim = startShim({
    runner,
    argv: [findCommand(command, { env, cwd }), ...args],
    onOutput,
    onReport(report) {
      if ('pid' in report) started.resolve(report.pid)
      else if ('exit' in report) exit = report.exit
      else started.reject(cannotStart(report.error))
    },
  })
  shim.gone.then(() => started.reject(cannotStart('its shim has ended')))
  shim.tell({ env, cwd, graceMs })
  const pid = await started.promise

  const exited = shim.gone.then(async () => {
    if (!exit) await endGroup(pid, 0) // somebody has killed the shim, so this is left to us
    await shim.lastLines()
    return exit ?? { code: null, signal: 'SIGKILL' }
  })
  const stop = async (stopMs: number) => {
    shim.tell({ stopMs })
    if (await within(stopMs + spareMs, exited)) return
    shim.kill()
    await exited
  }
  let stopped: Promise<void> | undefined
  return {
    pid,
    exited,
    stop(stopMs) {
      stopped ??= stop(stopMs)
      return stopped
    },
  }
}
