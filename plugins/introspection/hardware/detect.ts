import { parseRocm, readAmdgpu, rocmCommand } from './amd.ts'
import { appleCommand, parseApple } from './apple.ts'
import type { Gpu } from './gpu.ts'
import { lspciCommand, parseLspci } from './lspci.ts'
import { type Memory, readMemory } from './memory.ts'
import { nvidiaCommand, parseNvidia } from './nvidia.ts'
import type { Probe } from './probe.ts'
import { parseWindows, windowsCommand } from './windows.ts'

/** What was found out about the graphics, and by which means; `none` when there are none. */
export interface GpuFinding {
  readonly method: 'nvidia-smi' | 'rocm-smi' | 'amdgpu' | 'wmi' | 'lspci' | 'system_profiler' | 'arch' | 'none'
  readonly gpus: readonly Gpu[]
}

/** The parts of a machine that do not change while it runs. */
export interface Machine {
  readonly cores: number
  readonly cpuModel: string
  readonly cpuMhz: number
  readonly memory: Pick<Memory, 'totalBytes' | 'limited'>
  readonly gpu: GpuFinding
}

/** For everything together, and for each tool: one that hangs must leave time for the next. */
const budgetMs = 10_000
const toolMs = 5_000

/** Looks at the machine; starts at most one process at a time, and none that outlives the budget. */
export async function detectMachine(probe: Probe, closed: AbortSignal): Promise<Machine> {
  const budget = AbortSignal.any([closed, AbortSignal.timeout(budgetMs)])
  const { cores, model, mhz } = probe.cpus()
  const { totalBytes, limited } = await readMemory(probe)
  if (cores <= 0 || totalBytes <= 0) throw new Error('the machine reports no processor or no memory')
  return { cores, cpuModel: model, cpuMhz: mhz, memory: { totalBytes, limited }, gpu: await findGpus(probe, budget) }
}

type Finder = readonly [GpuFinding['method'], (probe: Probe, signal: AbortSignal) => Promise<readonly Gpu[]>]

const ask =
  (command: readonly string[], parse: (output: string) => readonly Gpu[]) =>
  async ({ run }: Probe, budget: AbortSignal): Promise<readonly Gpu[]> =>
    parse((await run(command, AbortSignal.any([budget, AbortSignal.timeout(toolMs)]))) ?? '')

const nvidia: Finder = ['nvidia-smi', ask(nvidiaCommand, parseNvidia)]

/** The best source first; the first that finds something is believed. */
const finders: Readonly<Partial<Record<NodeJS.Platform, readonly Finder[]>>> = {
  linux: [nvidia, ['rocm-smi', ask(rocmCommand, parseRocm)], ['amdgpu', readAmdgpu], ['lspci', ask(lspciCommand, parseLspci)]],
  win32: [nvidia, ['wmi', ask(windowsCommand, parseWindows)]],
  darwin: [
    ['system_profiler', ask(appleCommand, parseApple)],
    // every such Mac has Apple's own graphics, whether it has the time to say so or not
    ['arch', async ({ arch, cpus }) => (arch === 'arm64' ? [{ name: cpus().model, vramBytes: 0, unified: true }] : [])],
  ],
}

async function findGpus(probe: Probe, budget: AbortSignal): Promise<GpuFinding> {
  for (const [method, find] of finders[probe.platform] ?? [nvidia]) {
    const gpus = await find(probe, budget)
    if (gpus.length > 0) return { method, gpus }
  }
  return { method: 'none', gpus: [] }
}
