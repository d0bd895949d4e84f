import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'

/** The machine, without its name. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memory_gb: number
  readonly os: string
}

/** What this runs on. */
export function describeMachine(): Machine {
  const processors = cpus()
  const name = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux'
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memory_gb: Math.round(totalmem() / 1e9),
    os: `${name}, kernel ${release()}`,
  }
}

/** How busy the machine was in the last minute: near 0 it belongs to us. */
export const busy = (): number => loadavg()[0] ?? 0
