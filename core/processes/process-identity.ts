import { dlopen, ptr } from 'bun:ffi'
import { readFileSync } from 'node:fs'
import { statOf } from './process-list.ts'

/**
 * When a process was started, in a form that only means something on this machine: together with its id it names that one
 * process, for ids are given again. Undefined when there is no such process, or the system does not tell.
 */
export function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') return ticksSinceBoot(pid)
  return process.platform === 'win32' ? creationTime(pid) : startOfPs(pid)
}

/** One process, and none that gets its id later. */
export interface ProcessIdentity {
  readonly pid: number
  readonly start: string
}

/** True while that very process runs; not for one that has ended and that nobody has collected. */
export function runsStill({ pid, start }: ProcessIdentity): boolean {
  if (startOf(pid) !== start) return false
  return process.platform !== 'linux' || !/^[ZX]$/.test(statOf(pid)?.[0] ?? 'X')
}

/** Field 22 of /proc/PID/stat counts from the boot, so it is the boot's id that makes it a time. */
function ticksSinceBoot(pid: number): string | undefined {
  const ticks = statOf(pid)?.[19]
  return ticks && `${bootId()}+${ticks}`
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return 'boot'
  }
}

/** As macOS and the BSDs tell it, to the second. */
export function startOfPs(pid: number): string | undefined {
  const env = { PATH: process.env.PATH ?? '/bin:/usr/bin', LC_ALL: 'C' }
  const { stdout } = Bun.spawnSync(['ps', '-o', 'lstart=', '-p', String(pid)], { env, stdin: 'ignore', stderr: 'ignore' })
  return stdout.toString().trim() || undefined
}

const PROCESS_QUERY_LIMITED_INFORMATION = 0x1000

/** In tenths of microseconds since 1601. */
function creationTime(pid: number): string | undefined {
  try {
    const { symbols, close } = dlopen('kernel32.dll', {
      OpenProcess: { args: ['u32', 'i32', 'u32'], returns: 'u64' },
      GetProcessTimes: { args: ['u64', 'ptr', 'ptr', 'ptr', 'ptr'], returns: 'i32' },
      CloseHandle: { args: ['u64'], returns: 'i32' },
    })
    const handle = symbols.OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid)
    const times = new BigUint64Array(4)
    const [created, ended, kernel, user] = [0, 1, 2, 3].map(index => ptr(times, index * 8))
    const told = handle !== 0n && symbols.GetProcessTimes(handle, created ?? null, ended ?? null, kernel ?? null, user ?? null) !== 0
    if (handle !== 0n) symbols.CloseHandle(handle)
    close()
    // one that somebody holds on to can still be asked after its end
    return told && times[1] === 0n ? String(times[0]) : undefined
  } catch {
    return undefined
  }
}
