import { statOf } from './process-list.ts'

/** What the kernel counts in, on every Linux there is (`getconf CLK_TCK`). */
const tickMs = 10

/** The time that processors have worked for these processes, in milliseconds; undefined where the system does not tell. */
export function cpuTimeOf(pids: readonly number[]): number | undefined {
  if (process.platform !== 'linux') return undefined
  return pids.reduce((sum, pid) => {
    const fields = statOf(pid) // those of the state, user time and system time are the 3rd, 14th and 15th
    return sum + (Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0)) * tickMs
  }, 0)
}
