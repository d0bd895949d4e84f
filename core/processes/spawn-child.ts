import { within } from '../within.ts'
import { findCommand } from './find-command.ts'
import { type Mark, marked, withMark } from './mark.ts'
import type { ChildExit } from './messages.ts'
import { endGroup, nobody } from './process-group.ts'
import { descendantsOf, listProcesses } from './process-list.ts'
import { startShim, type Talk } from './shim.ts'

export type { ChildExit } from './messages.ts'
export type { Talk } from './shim.ts'

/** A program that gatehouse has started, and that does not outlive it. */
export interface Child {
  /** The program's own. */
  readonly pid: number
  /** The way to and from it, when it is one that `speaks`. */
  readonly talk: Talk | undefined
  /** Resolves as soon as the program itself has ended; what it started may still be about to. Never rejects. */
  readonly ended: Promise<ChildExit>
  /** Resolves when it and everything it started are gone. Never rejects. */
  readonly exited: Promise<ChildExit>
  /** The ids of it and of all it has started that runs still; only its own where it takes a program to find them. */
  family(): readonly number[]
  /** SIGTERM to it and all it started, SIGKILL after `graceMs`; resolves when they are gone. Once more with less time hurries them. */
  stop(graceMs: number): Promise<void>
}

export interface ChildOptions {
  /** A name to be found in the PATH of `env`, or a path, which counts from `cwd`. */
  readonly command: string
  readonly args?: readonly string[]
  /** All it gets: nothing of ours is added, but for the mark. `safeEnvironment` is a good beginning. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  /** How long it may take to end when gatehouse itself is gone (5 s). */
  readonly graceMs?: number
  /** A command that makes it end, found as `command` is, and run before any signal; it may take half of the grace. */
  readonly stop?: { readonly command: string; readonly args?: readonly string[] } | undefined
  /** By this, those who have left its process group are found even when the shim is killed. */
  readonly mark?: Mark
  /** It is spoken to through its stdin, and answers through its stdout: `Child.talk`. */
  readonly speaks?: boolean
  /** Gets every line it writes, but for what one that `speaks` says. Without it, they are thrown away. */
  readonly onOutput?: (line: string, from: 'stdout' | 'stderr') => void
  /** The command that starts the shim; by default it is ourselves. */
  readonly runner?: readonly string[]
  /** So long the shim may take to say that the program runs (30 s): it waits for nothing, but it may hang. */
  readonly startMs?: number
}

/** What a shim may take longer than it was told, until it is ended too. */
const spareMs = 3_000

/** Starts a program behind the shim. Rejects with a sentence that names the command when it cannot be started. */
export async function spawnChild(options: ChildOptions): Promise<Child> {
  const { command, args = [], cwd = process.cwd(), graceMs = 5_000, startMs = 30_000, stop: stopper, mark, onOutput, runner } = options
  const { speaks } = options
  const env = mark === undefined ? options.env : withMark(options.env, mark)
  const cannotStart = (reason: string) => new Error(`the command "${command}" could not be started: ${reason}`)
  const started = Promise.withResolvers<number>()
  const ended = Promise.withResolvers<ChildExit>()
  let isGone = false
  const argv = [findCommand(command, { env, cwd }), ...args]
  const stopCommand = stopper && [findCommand(stopper.command, { env, cwd }), ...(stopper.args ?? [])]
  const shim = startShim({
    runner,
    argv,
    onOutput,
    speaks,
    onReport(report) {
      if ('pid' in report) started.resolve(report.pid)
      else if ('ended' in report) ended.resolve(report.ended)
      else if ('gone' in report) isGone = true
      else started.reject(cannotStart(report.error))
    },
  })
  shim.gone.then(() => started.reject(cannotStart('its shim has ended')))
  shim.tell({ env, cwd, graceMs, ...(stopCommand && { stop: stopCommand }), ...(speaks && { speaks }) })
  const late = setTimeout(() => {
    started.reject(cannotStart(`its shim did not say within ${startMs / 1000} s that it runs`))
    shim.kill()
  }, startMs)
  const pid = await started.promise
    .catch(async (error: Error) => {
      await shim.gone // right after it had started the program, perhaps
      if (mark !== undefined) await endGroup(nobody, 0, all => marked(mark, all))
      throw error
    })
    .finally(() => clearTimeout(late))

  const exited = shim.gone.then(async () => {
    ended.resolve({ code: null, signal: 'SIGKILL' }) // unless it has told
    // somebody has killed the shim, so this is left to us
    if (!isGone) await endGroup(pid, 0, all => (mark === undefined ? [] : marked(mark, all)))
    await shim.lastLines()
    return ended.promise
  })
  return {
    pid,
    talk: shim.talk,
    ended: ended.promise,
    exited,
    family() {
      if (isGone) return []
      if (process.platform !== 'linux') return [pid]
      return descendantsOf(shim.pid, listProcesses()).flatMap(entry => (entry.living ? [entry.pid] : []))
    },
    async stop(stopMs) {
      shim.tell({ stopMs })
      if (await within(stopMs + spareMs, exited)) return
      shim.kill()
      await exited
    },
  }
}
