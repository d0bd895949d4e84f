import { readdirSync, readFileSync } from 'node:fs'

/** Resident memory of a process in megabytes (10⁶ bytes). */
export const residentMb = (pid: number): number => statusMb(pid, 'VmRSS')

/** The same with its children that still live; what they share counts once for each. */
export const residentTreeMb = (pid: number): number => childrenOf(pid).reduce((sum, child) => sum + residentTreeMb(child), residentMb(pid))

/** The most it ever had. */
export const peakMb = (pid: number): number => statusMb(pid, 'VmHWM')

/** Seconds on a processor that a process and its children that still live have used. */
export function cpuSeconds(pid: number): number {
  // the name in parentheses may hold spaces; utime and stime are the 14th and 15th field, in 1/100 s on every Linux
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const own = (Number(fields[11]) + Number(fields[12])) / 100
  return childrenOf(pid).reduce((sum, child) => sum + cpuSeconds(child), own)
}

/** Of all its threads: any of them may have forked. */
const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap(thread =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').map(Number).filter(Boolean),
  )

function statusMb(pid: number, field: string): number {
  const kilobytes = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kilobytes) * 1024) / 1e6
}
