import { factsOf, type GgufFacts } from './gguf-facts.ts'
import { readGgufHeader } from './gguf-header.ts'
import { partsOf } from './gguf-parts.ts'

export type { GgufFacts } from './gguf-facts.ts'

/** A model as its files describe it. */
export interface Gguf extends GgufFacts {
  /** All its files; mostly one. */
  readonly files: readonly string[]
  readonly fileBytes: number
  /** The bytes of its tensors in each layer, and of all of them. */
  readonly layerBytes: readonly number[]
  readonly tensorBytes: number
}

/**
 * Reads what a GGUF file says about its model, and the other parts when it comes in several. Only headers are read.
 * Rejects with a sentence that begins with a path, for the operator.
 */
export async function readGguf(path: string): Promise<Gguf> {
  const files = await partsOf(path)
  const [first, ...rest] = await Promise.all(files.map(readGgufHeader))
  if (!first) throw new Error(`${path}: has no parts`)
  const headers = [first, ...rest]
  const cut = headers.findIndex(({ tensors }) => tensors.count > 0 && !tensors.complete)
  if (cut >= 0) throw new Error(`${files[cut]}: ends before its last tensor; is it still being copied?`)
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
  const layers = Math.max(...headers.map(({ tensors }) => tensors.layerBytes.length))
  return {
    ...factsAt(path, () => factsOf(first.values, sum(headers.map(({ tensors }) => tensors.count)))),
    files,
    fileBytes: sum(headers.map(({ fileBytes }) => fileBytes)),
    layerBytes: Array.from({ length: layers }, (_, layer) => sum(headers.map(({ tensors }) => tensors.layerBytes[layer] ?? 0))),
    tensorBytes: sum(headers.map(({ tensors }) => tensors.bytes)),
  }
}

function factsAt(path: string, read: () => GgufFacts): GgufFacts {
  try {
    return read()
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}
