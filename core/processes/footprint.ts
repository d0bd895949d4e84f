import { cacheSize } from './footprint-cache.ts'
import type { Gguf } from './gguf.ts'
import type { LlamaServerSettings } from './llama-server-settings.ts'

/** The memory that a model server is expected to have, in bytes. */
export interface Footprint {
  /** All of it, of the machine and of its GPUs. */
  readonly bytes: number
  /** The part on GPUs, should there be any. */
  readonly gpuBytes: number
  readonly weights: number
  readonly cache: number
  /** Scratch memory of the computation. */
  readonly compute: number
  /** The program, its tables, the driver of a GPU. */
  readonly overhead: number
}

/** A llama-server without a model takes 15 MB; each token of a vocabulary costs two strings and a hash entry. */
const programBytes = 32 * 1024 ** 2
const tokenBytes = 256
/** What a process has on a GPU before it puts anything there; CUDA 200 to 500 MB. */
const gpuProgramBytes = 300 * 1024 ** 2

/**
 * Predicts the memory of a llama-server with a model: its weights, its cache, scratch memory and the program. The first
 * two are exact, as llama.cpp lays them out; scratch memory depends on the build, and is more here than most need: too
 * little would be an out-of-memory, too much is corrected by what is learned from the process (`learnedFootprints`).
 */
export function predictFootprint(model: Gguf, settings: LlamaServerSettings): Footprint {
  const cache = cacheSize(model, settings)
  const compute = computeBytes(model, settings, cache.cells)
  const firstOnGpu = settings.gpuLayers < 0 ? 0 : Math.max(0, model.blockCount + 1 - settings.gpuLayers)
  const onGpu = (bytes: readonly number[]) => sum(bytes.filter((_, layer) => layer >= firstOnGpu))
  const usesGpu = settings.gpuLayers !== 0
  // half of what is in no layer is the input, which stays; the other half goes with the last layer
  const outside = model.tensorBytes - sum(model.layerBytes)
  const overhead = programBytes + model.vocabularySize * tokenBytes + (usesGpu ? gpuProgramBytes : 0)
  const weights = model.fileBytes
  const cacheBytes = sum(cache.layerBytes)
  const bytes = weights + cacheBytes + compute + overhead
  const gpuBytes = usesGpu
    ? onGpu(model.layerBytes) +
      (firstOnGpu === 0 ? outside / 2 : 0) +
      (settings.cacheOnGpu ? onGpu(cache.layerBytes) : 0) +
      compute +
      gpuProgramBytes
    : 0
  return { bytes, gpuBytes, weights, cache: cacheBytes, compute, overhead }
}

/**
 * Measured with a llama-server of 2026 and models of several shapes: per token of a micro-batch 2 × feed-forward and
 * 8 × embedding numbers of 32 bits, and 2 bytes per cell (the mask). Older builds also keep the output of every token of
 * it, which is the vocabulary.
 */
function computeBytes(model: Gguf, { microBatchSize, batchSize }: LlamaServerSettings, cells: readonly number[]): number {
  const wide = 2 * model.feedForwardLength * Math.max(1, model.expertUsedCount) + 8 * model.embeddingLength + model.vocabularySize
  return Math.min(microBatchSize, batchSize) * (wide * 4 + sum(cells) * 2)
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
