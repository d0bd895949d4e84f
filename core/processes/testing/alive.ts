import { readFileSync } from 'node:fs'
import { gatehouseCommand } from '../../testing/gatehouse-process.ts'

/** The shim of the compiled binary when `GATEHOUSE_BINARY` names one, else that of the sources. */
export const runner = process.env.GATEHOUSE_BINARY ? { runner: [...gatehouseCommand, '__runner'] } : {}

/** True while a process runs. One that has ended and that nobody has collected takes signals still, so those are no proof. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return true
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

/** Resolves when none of the processes runs any more; rejects after `ms`. */
export async function gone(pids: readonly number[], ms = 8_000): Promise<void> {
  for (const deadline = performance.now() + ms; ; await Bun.sleep(10)) {
    const left = pids.filter(isAlive)
    if (left.length === 0) return
    if (performance.now() > deadline) {
      for (const pid of left) process.kill(pid, 'SIGKILL')
      throw new Error(`still running: ${left.join(', ')} of ${pids.join(', ')}`)
    }
  }
}
