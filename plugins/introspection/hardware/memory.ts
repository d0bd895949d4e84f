import { readMemoryLimit } from './cgroup.ts'
import type { Probe } from './probe.ts'

/** The memory gatehouse and its neighbours may use. */
export interface Memory {
  readonly totalBytes: number
  readonly availableBytes: number
  /** A container's limit, which is exact; RAM modules lose a little to the firmware. */
  readonly limited: boolean
}

/** Reads it anew; no process is started for it. */
export async function readMemory(probe: Probe): Promise<Memory> {
  const total = probe.totalMemory()
  const available = (await availableOnLinux(probe)) ?? probe.freeMemory()
  const limit = probe.platform === 'linux' ? await readMemoryLimit(probe) : undefined
  if (!limit || limit.limitBytes >= total) return { totalBytes: total, availableBytes: Math.min(available, total), limited: false }
  const { limitBytes, usedBytes } = limit
  return { totalBytes: limitBytes, availableBytes: Math.max(0, Math.min(available, limitBytes - usedBytes)), limited: true }
}

async function availableOnLinux({ platform, readFile }: Probe): Promise<number | undefined> {
  if (platform !== 'linux') return
  const kilobytes = (await readFile('/proc/meminfo'))?.match(/^MemAvailable:\s+(\d+) kB$/m)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}
