import { readFile } from 'node:fs/promises'
import { arch, cpus, freemem, totalmem } from 'node:os'
import { runTool } from './run.ts'

/** Runs a program of this machine. Resolves with what it wrote, or undefined when it is missing, failed or was too slow. */
export type Run = (command: readonly string[], signal: AbortSignal) => Promise<string | undefined>

/** What hardware detection may ask of the machine. Tests bring their own. */
export interface Probe {
  readonly platform: NodeJS.Platform
  readonly arch: string
  readonly run: Run
  /** Undefined when there is no such file. */
  readonly readFile: (path: string) => Promise<string | undefined>
  readonly cpus: () => { readonly cores: number; readonly model: string; readonly mhz: number }
  /** As the operating system counts; a container's limit comes on top. */
  readonly totalMemory: () => number
  readonly freeMemory: () => number
  /** Milliseconds that never go back. */
  readonly now: () => number
}

/** The machine gatehouse runs on. Asks nothing before it is asked. */
export const thisMachine = (): Probe => ({
  platform: process.platform,
  arch: arch(),
  run: runTool,
  readFile: path => readFile(path, 'utf8').catch(() => undefined),
  cpus() {
    const all = cpus()
    return { cores: all.length, model: all[0]?.model.trim() ?? '', mhz: all[0]?.speed ?? 0 }
  },
  totalMemory: totalmem,
  freeMemory: freemem,
  now: () => performance.now(),
})
