import { readdirSync, readFileSync } from 'node:fs'

/** SIGKILL is final, but the kernel takes its time with large processes. */
const lastMs = 2_000
const lookEveryMs = 20

/**
 * Ends a program and everything it started that stayed in its process group: SIGTERM, and SIGKILL for whoever is
 * left after `graceMs`. Resolves when they are gone. On Windows there is only the end of the whole tree, at once.
 */
export async function endGroup(leader: number, graceMs: number): Promise<void> {
  if (process.platform === 'win32') return endTree(leader)
  signalGroup(leader, 'SIGTERM')
  if (await groupGone(leader, graceMs)) return
  signalGroup(leader, 'SIGKILL')
  await groupGone(leader, lastMs)
}

/** Sends a signal to all of a process group; false when nobody was there to take it. */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  if (leader <= 1) return false // -1 would be every process there is
  try {
    process.kill(-leader, signal)
    return true
  } catch {
    return false
  }
}

async function groupGone(leader: number, withinMs: number): Promise<boolean> {
  for (const deadline = performance.now() + withinMs; ; await Bun.sleep(lookEveryMs)) {
    if (!isGroupAlive(leader)) return true
    if (performance.now() >= deadline) return false
  }
}

/** Zombies do not count: they take signals too, until somebody collects them, and in a container that may be nobody. */
function isGroupAlive(leader: number): boolean {
  if (!signalGroup(leader, 0)) return false
  if (process.platform !== 'linux') return true
  return readdirSync('/proc').some(entry => /^\d/.test(entry) && isLivingMember(entry, leader))
}

function isLivingMember(pid: string, leader: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // a name may hold spaces and parentheses
    return Number(group) === leader && state !== 'Z' && state !== 'X'
  } catch {
    return false // it has ended meanwhile
  }
}

async function endTree(root: number): Promise<void> {
  await Bun.spawn(['taskkill', '/PID', String(root), '/T', '/F'], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
    windowsHide: true,
  }).exited
}
