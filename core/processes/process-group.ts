import { listOfKernel, listProcesses, type ProcessEntry } from './process-list.ts'

/** SIGKILL is final, but the kernel takes its time with large processes. */
const lastMs = 2_000
const lookEveryMs = 20

/** The leader when nobody knows one: no process and no group has this id. */
export const nobody = -1

/** Finds, among all that runs, those who have to end as well although they have left the group. */
export type FindStrays = (all: readonly ProcessEntry[]) => readonly ProcessEntry[]

/**
 * Ends a program and everything it started: its process group, and the strays. SIGTERM first, and SIGKILL for whoever
 * is left after `graceMs`; one that is a function is asked again and again what is left of it. Resolves when they are gone.
 * On Windows there is only the end of the whole tree, at once.
 */
export async function endGroup(leader: number, graceMs: number | (() => number), findStrays: FindStrays = () => []): Promise<void> {
  if (process.platform === 'win32') return endTree(leader)
  const doomed = process.platform === 'linux' ? membersNow(leader, findStrays) : membersAtFirst(leader, findStrays)
  doomed.signal('SIGTERM')
  if (await doomed.gone(graceMs)) return
  // again and again: somebody may be starting somebody else right now
  for (const deadline = performance.now() + lastMs; performance.now() < deadline; ) {
    doomed.signal('SIGKILL')
    if (await doomed.gone(lookEveryMs)) return
  }
}

interface Doomed {
  signal(name: NodeJS.Signals): void
  gone(within: number | (() => number)): Promise<boolean>
}

/** Linux lists everything within a millisecond or two, so we look anew each time: who is born meanwhile is found too. */
function membersNow(leader: number, findStrays: FindStrays): Doomed {
  const strays = (all: readonly ProcessEntry[]) => findStrays(all).filter(({ group, living }) => living && group !== leader)
  return {
    signal(name) {
      signalTo(-leader, name)
      for (const { pid } of strays(listProcesses())) signalTo(pid, name)
    },
    gone: within =>
      until(within, () => {
        const all = listOfKernel()
        if (!all) return !signalTo(-leader, 0)
        return !all.some(({ group, living }) => living && group === leader) && strays(all).length === 0
      }),
  }
}

/** Elsewhere a list is the work of another program, so there is one, before anybody has lost their parent. */
function membersAtFirst(leader: number, findStrays: FindStrays): Doomed {
  const strays = findStrays(listProcesses()).filter(({ group }) => group !== leader)
  const targets = [-leader, ...strays.map(({ pid }) => pid)]
  return {
    signal(name) {
      for (const target of targets) signalTo(target, name)
    },
    gone: within => until(within, () => !targets.some(target => signalTo(target, 0))),
  }
}

async function until(within: number | (() => number), check: () => boolean): Promise<boolean> {
  const deadline = performance.now() + (typeof within === 'number' ? within : 0)
  const leftMs = typeof within === 'function' ? within : () => deadline - performance.now()
  for (; ; await Bun.sleep(lookEveryMs)) {
    if (check()) return true
    if (leftMs() <= 0) return false
  }
}

/** To a process, or by a negative number to all of a group; false when nobody was there to take it. */
function signalTo(target: number, name: NodeJS.Signals | 0): boolean {
  if (Math.abs(target) <= 1) return false // -1 would be every process there is
  try {
    process.kill(target, name)
    return true
  } catch {
    return false
  }
}

async function endTree(root: number): Promise<void> {
  if (root === nobody) return
  await Bun.spawn(['taskkill', '/PID', String(root), '/T', '/F'], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
    windowsHide: true,
  }).exited
}
