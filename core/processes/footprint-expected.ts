import type { LearnedFootprints } from './footprint-learned.ts'
import { footprintPrint, type ModelShape, predictModel } from './footprint-model.ts'
import type { GgufReader } from './gguf-cached.ts'
import { llamaServerModel } from './llama-server-settings.ts'

/** How much memory each model is expected to have, known without waiting. */
export interface ExpectedFootprints {
  /** What its process had before, else what its files let expect; 0 when neither says anything. In bytes. */
  of(model: string): number
  /** Takes over what the process of a model has. */
  learn(model: string, bytes: number): void
  /**
   * Looks at these models and their files; those that are not among them are forgotten here. Resolves with a line for each
   * file that could not be read.
   */
  look(models: readonly NamedShape[]): Promise<readonly string[]>
}

/** A model that gatehouse runs. */
export interface NamedShape extends ModelShape {
  readonly name: string
}

export interface ExpectedOptions {
  readonly learned: LearnedFootprints
  readonly read: GgufReader
  /** Whether the llama-server can let slots share one cache. */
  readonly knowsUnified: () => Promise<boolean>
}

/** Expects nothing of anybody before the first look. */
export function expectedFootprints({ learned, read, knowsUnified }: ExpectedOptions): ExpectedFootprints {
  let known: ReadonlyMap<string, { readonly print: string; readonly predicted: number }> = new Map()
  return {
    of(model) {
      const one = known.get(model)
      return one ? (learned.of(model, one.print) ?? one.predicted) : 0
    },
    learn(model, bytes) {
      const one = known.get(model)
      if (one) learned.learn(model, one.print, bytes)
    },
    async look(models) {
      const problems: string[] = []
      const unified = models.some(llamaServerModel) && (await knowsUnified())
      const predict = async (model: NamedShape) => {
        const served = llamaServerModel(model)
        if (!served) return 0
        try {
          return (await predictModel(served, read, unified)).bytes
        } catch (error) {
          problems.push(`${model.name}: ${(error as Error).message}`)
          return 0
        }
      }
      const entries = models.map(
        async model => [model.name, { print: await footprintPrint(model), predicted: await predict(model) }] as const,
      )
      known = new Map(await Promise.all(entries))
      return problems
    },
  }
}
