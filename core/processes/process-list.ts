import { readdirSync, readFileSync } from 'node:fs'

/** A process of this machine, as its system lists it. */
export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly group: number
  /** False for a zombie: it takes signals and does nothing, until somebody collects it, and in a container that may be nobody. */
  readonly living: boolean
}

/** Everything that runs here, as far as we may see. Empty where the system does not tell, as on Windows. */
export function listProcesses(): readonly ProcessEntry[] {
  if (process.platform === 'win32') return []
  return process.platform === 'linux' ? (listOfKernel() ?? []) : listOfPs()
}

/** From Linux's /proc; undefined when there is none, as in some sandboxes. */
export function listOfKernel(): readonly ProcessEntry[] | undefined {
  try {
    return readdirSync('/proc').flatMap(name => (/^\d/.test(name) ? (entryOf(name) ?? []) : []))
  } catch {
    return undefined
  }
}

function entryOf(pid: string): ProcessEntry | undefined {
  const fields = statOf(pid)
  if (!fields) return undefined
  const [state, parent, group] = fields
  return { pid: Number(pid), parent: Number(parent), group: Number(group), living: state !== 'Z' && state !== 'X' }
}

/** The fields of /proc/PID/stat from the third on, which is the state (man proc); undefined when there is no such process. */
export function statOf(pid: string | number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ') // a name may hold spaces and parentheses
  } catch {
    return undefined
  }
}

/** From `ps`, as macOS and the BSDs have it. */
export function listOfPs(): readonly ProcessEntry[] {
  const { stdout } = Bun.spawnSync(['ps', '-axo', 'pid=,ppid=,pgid=,state='], { stdin: 'ignore', stderr: 'ignore' })
  return stdout
    .toString()
    .split('\n')
    .flatMap(line => {
      const [pid, parent, group, state] = line.trim().split(/\s+/)
      return state ? [{ pid: Number(pid), parent: Number(parent), group: Number(group), living: !state.startsWith('Z') }] : []
    })
}

/** All that a process has started, and what those have; itself not. */
export function descendantsOf(ancestor: number, all: readonly ProcessEntry[]): readonly ProcessEntry[] {
  const children = Map.groupBy(all, ({ parent }) => parent)
  const found: ProcessEntry[] = []
  for (let generation = children.get(ancestor) ?? []; generation.length > 0; ) {
    found.push(...generation)
    generation = generation.flatMap(({ pid }) => children.get(pid) ?? [])
  }
  return found
}
