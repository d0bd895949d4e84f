import { appendFileSync, readFileSync } from 'node:fs'

/** One start of a stand-in; they are written beside its model file. */
export interface Started {
  readonly pid: number
  readonly port: number
  readonly args: readonly string[]
  /** The names of all the variables it was given. */
  readonly environment: readonly string[]
  /** The pids of what it has started itself. */
  readonly grandchildren: readonly number[]
  /** Stand-ins of the same file that were running already: that must never be. */
  readonly besides: readonly number[]
}

const journalOf = (modelPath: string) => `${modelPath}.starts`

/** Notes a start. */
export const noteStart = (modelPath: string, start: Started): void => appendFileSync(journalOf(modelPath), `${JSON.stringify(start)}\n`)

/** All starts so far, oldest first. */
export function startsOf(modelPath: string): readonly Started[] {
  return textOf(journalOf(modelPath))
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Started)
}

/** True while a process runs; one that has ended and that nobody has collected does not. */
export function isRunning(pid: number): boolean {
  if (process.platform === 'linux') return /\) [^ZX] /.test(textOf(`/proc/${pid}/stat`))
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
