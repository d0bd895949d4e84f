import { hostname, loadavg, release, uptime, version } from 'node:os'
import type { Machine } from './detect.ts'
import type { Disk } from './disk.ts'
import { goName } from './go-names.ts'
import { type Gpu, namesOf } from './gpu.ts'
import type { Memory } from './memory.ts'
import { vramOf } from './vram.ts'

/** How much `/v1/system/hardware` tells. */
export type DetailLevel = 'minimal' | 'standard' | 'full'

export interface HardwareFacts {
  readonly platform: string
  readonly arch: string
  readonly machine: Machine
  readonly memory: Memory
  readonly disk: Disk | undefined
}

/**
 * LlamaGate's shape. `minimal` has nothing that tells one machine from another of its kind; `standard` adds its short
 * name, each card and what is used of the disk; `full` adds the rest, and still no serial number, address or user.
 */
export function reportHardware(level: DetailLevel, { platform, arch, machine, memory, disk }: HardwareFacts) {
  const standard = level !== 'minimal'
  const full = level === 'full'
  const { cores, cpuModel, cpuMhz, gpu } = machine
  return {
    os: goName(platform),
    arch: goName(arch),
    ...(standard && { hostname: hostname().split('.')[0] }),
    ...(full && { kernel: release(), os_version: version(), uptime_secs: Math.floor(uptime()) }),
    cpu: {
      logical_cores: cores,
      ...(cpuModel && { model_name: cpuModel }),
      ...(full && { ...(cpuMhz > 0 && { speed_mhz: cpuMhz }), load_average: loadavg() }),
    },
    memory: {
      total_bytes: memory.totalBytes,
      available_bytes: memory.availableBytes,
      ...(full && { limited_by_container: memory.limited }),
    },
    disk: disk
      ? {
          data_dir_total_bytes: disk.totalBytes,
          data_dir_free_bytes: disk.freeBytes,
          ...(standard && { data_dir_used_bytes: disk.usedBytes }),
        }
      : {},
    gpu: {
      ...reportGpu(machine),
      ...(standard && {
        gpus: gpu.gpus.map(({ driver, ...card }) => ({ ...reportCard(card), ...(full && driver && { driver_version: driver }) })),
      }),
      ...(full && { detection_method: gpu.method }),
    },
  }
}

/** What of a machine may be remembered: nothing that changes by the minute. */
export const rememberHardware = (platform: string, arch: string, machine: Machine) => ({
  os: goName(platform),
  arch: goName(arch),
  cpu: { logical_cores: machine.cores, ...(machine.cpuModel && { model_name: machine.cpuModel }) },
  memory: { total_bytes: machine.memory.totalBytes },
  gpu: reportGpu(machine),
})

function reportGpu(machine: Machine) {
  const { gpus } = machine.gpu
  if (gpus.length === 0) return { gpu_present: false }
  const { bytes, unified } = vramOf(machine)
  return {
    gpu_present: true,
    gpu_name: namesOf(gpus),
    ...(bytes > 0 && { vram_bytes: bytes }),
    ...(unified && { unified_memory: true }),
  }
}

const reportCard = ({ name, vramBytes, unified }: Omit<Gpu, 'driver'>) => ({
  name,
  ...(vramBytes > 0 && { vram_bytes: vramBytes }),
  ...(unified && { unified_memory: true }),
})
