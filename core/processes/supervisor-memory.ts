import { type AskGpuMemory, createGpuMemory } from './gpu-memory.ts'
import { memoryOf } from './process-memory.ts'
import type { ServerProcess } from './server-process.ts'

/** What a process and all it has started hold, in bytes. */
export interface Footprint {
  readonly main: number
  readonly gpu: number
}

/** Called after each measurement that found more than those before it in the same life of the process. */
export type Learn = (model: string, footprint: Footprint) => void

/** What processes hold, as it was last measured. */
export interface MemoryWatch {
  /** Undefined when it does not run or was not measured yet. */
  of(process: ServerProcess): number | undefined
  /** Measures all that are ready. Never rejects; a second call while one is at work is that one. */
  measure(): Promise<void>
}

interface Measured {
  readonly pid: number | undefined
  readonly now: number
  readonly most: Footprint
}

const nothing: Footprint = { main: 0, gpu: 0 }

/** Knows nothing yet. */
export function createMemoryWatch(
  processes: () => Iterable<ServerProcess>,
  learn: Learn = () => undefined,
  askGpus: AskGpuMemory = createGpuMemory(),
): MemoryWatch {
  const known = new WeakMap<ServerProcess, Measured>()
  const isSameLife = (process: ServerProcess, { pid }: Measured) => pid !== undefined && pid === process.snapshot().pid

  const measureAll = async () => {
    const ready = [...processes()].filter(({ state }) => state === 'ready')
    if (ready.length === 0) return
    const gpus = await askGpus()
    await Promise.all(ready.map(process => measureOne(process, gpus)))
  }
  const measureOne = async (process: ServerProcess, gpus: ReadonlyMap<number, number>) => {
    const { pid } = process.snapshot()
    const family = process.family()
    const main = await memoryOf(family)
    if (main === undefined || pid === undefined || process.snapshot().pid !== pid) return
    const gpu = family.reduce((sum, member) => sum + (gpus.get(member) ?? 0), 0)
    const before = known.get(process)
    const { main: mostMain, gpu: mostGpu } = before && isSameLife(process, before) ? before.most : nothing
    const most = { main: Math.max(main, mostMain), gpu: Math.max(gpu, mostGpu) }
    known.set(process, { pid, now: main + gpu, most })
    if (most.main > mostMain || most.gpu > mostGpu) learn(process.model, most)
  }

  let measuring: Promise<void> | undefined
  return {
    of(process) {
      const last = known.get(process)
      return last && isSameLife(process, last) ? last.now : undefined
    },
    measure() {
      measuring ??= measureAll().finally(() => {
        measuring = undefined
      })
      return measuring
    },
  }
}
