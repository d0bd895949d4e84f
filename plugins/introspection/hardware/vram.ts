import type { Machine } from './detect.ts'
import { soldGb, wholeGb } from './sizes.ts'

/**
 * How much of unified memory graphics may use. Metal's `recommendedMaxWorkingSetSize` is 11.84 of 16 GiB, 17.76 of 24,
 * 48 of 64 and 107.5 of 128 (AlexsJones/llmfit#754, sgl-project/sglang#29949, ggml-org/llama.cpp#1870,
 * antirez/ds4#893); the rest is the system's.
 */
const usableShare = 0.75

/** The memory models can have on the graphics, and whether it is the machine's own. */
export interface Vram {
  readonly bytes: number
  /** As the cards were sold: a "24 GB" card reports 23.99 GiB. Of several cards, together. */
  readonly gb: number
  readonly unified: boolean
}

/** Adds the cards up; of unified memory it counts the part that graphics may use. */
export function vramOf({ gpu: { gpus }, memory }: Pick<Machine, 'gpu' | 'memory'>): Vram {
  const bytes = gpus.reduce((sum, { vramBytes }) => sum + vramBytes, 0)
  if (bytes > 0) return { bytes, gb: gpus.reduce((sum, { vramBytes }) => sum + soldGb(vramBytes), 0), unified: false }
  if (!gpus.some(({ unified }) => unified)) return { bytes: 0, gb: 0, unified: false }
  return { bytes: Math.floor(memory.totalBytes * usableShare), gb: Math.floor(ramGb(memory) * usableShare), unified: true }
}

/** The machine's memory as it was sold; a container's limit is exact. */
export const ramGb = ({ totalBytes, limited }: Machine['memory']): number => (limited ? wholeGb(totalBytes) : soldGb(totalBytes))
