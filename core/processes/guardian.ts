import { dlopen } from 'bun:ffi'
import { listProcesses } from './process-list.ts'

const PR_SET_PDEATHSIG = 1
const PR_SET_CHILD_SUBREAPER = 36
const WNOHANG = 1

/** Dead processes take memory in the kernel until somebody collects them; nobody is in a hurry. */
const collectEveryMs = 1_000

/**
 * Makes this process the guardian of all its children start, where the system can do that. Two things, both only on Linux:
 *
 * `BUN_FEATURE_FLAG_NO_ORPHANS` makes the kernel kill our child when we are killed, which is what we want, and
 * kill us when our parent dies, which is not: then nobody would be left to end what the child has started.
 * So that half is taken back. Where it cannot be, the child still dies with us.
 *
 * And whoever loses their parent becomes our child instead of init's, in whatever session or group they are. So they
 * stay to be found, and to be collected when they have ended, as init would do: all but those that `isOurs` says we wait for.
 */
export function becomeGuardian(isOurs: (pid: number) => boolean): void {
  if (process.platform !== 'linux') return
  try {
    // musl answers to this name too
    const { symbols } = dlopen('libc.so.6', {
      prctl: { args: ['int', 'u64', 'u64', 'u64', 'u64'], returns: 'int' },
      waitpid: { args: ['int', 'ptr', 'int'], returns: 'int' },
    })
    symbols.prctl(PR_SET_PDEATHSIG, 0n, 0n, 0n, 0n)
    symbols.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n)
    collectOrphans(pid => symbols.waitpid(pid, null, WNOHANG), isOurs)
  } catch {
    // a system that lets no program load code at run time
  }
}

function collectOrphans(collect: (pid: number) => void, isOurs: (pid: number) => boolean): void {
  let planned = false
  process.on('SIGCHLD', () => {
    if (planned) return
    planned = true
    setTimeout(() => {
      planned = false
      for (const { pid, parent, living } of listProcesses()) if (parent === process.pid && !living && !isOurs(pid)) collect(pid)
    }, collectEveryMs).unref()
  })
}
