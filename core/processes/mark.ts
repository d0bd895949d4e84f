import { readFileSync } from 'node:fs'
import type { ProcessEntry } from './process-list.ts'

/** A random word that a program and all it starts carry in their environment, by which they are known as ours. */
export type Mark = string

/** The variable that holds it. */
const name = 'GATEHOUSE_CHILD'

export const makeMark = (): Mark => crypto.randomUUID()

/** The environment with the mark. */
export const withMark = (env: Readonly<Record<string, string>>, mark: Mark): Record<string, string> => ({ ...env, [name]: mark })

/** Those that carry a mark, as far as we may look. Who has cleared their environment is not found. */
export function marked(mark: Mark, all: readonly ProcessEntry[]): readonly ProcessEntry[] {
  if (all.length === 0) return [] // where the system does not list them, it does not show their environment
  const carriers = process.platform === 'linux' ? undefined : new Set(carriersOfPs(mark))
  return all.filter(({ pid, living }) => living && pid !== process.pid && (carriers ? carriers.has(pid) : carries(pid, mark)))
}

function carries(pid: number, mark: Mark): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${name}=${mark}\0`)
  } catch {
    return false // it has ended, or belongs to somebody else
  }
}

/** macOS shows the environment of a user's own processes behind their commands. */
export function carriersOfPs(mark: Mark, options = '-axEww'): readonly number[] {
  const { stdout } = Bun.spawnSync(['ps', options, '-o', 'pid=,command='], { stdin: 'ignore', stderr: 'ignore' })
  return stdout
    .toString()
    .split('\n')
    .flatMap(line => (line.includes(`${name}=${mark}`) ? [Number.parseInt(line, 10)] : []))
}
