import { argumentOf, numberOf } from './llama-server-arguments.ts'

/** LlamaWrapper's keys of a model, and how many requests it gets at once. */
export interface LlamaServerModel {
  readonly model_path: string
  readonly gpu_layers: number
  /** Of each request. */
  readonly context_size: number
  readonly threads: number
  readonly batch_size: number
  readonly slots: number
  readonly extra_args: readonly string[]
}

/** The same as the config has them, where a model may be none of llama-server's. */
export type LlamaServerKeys = { readonly [Key in keyof LlamaServerModel]?: LlamaServerModel[Key] | undefined }

/** A model with what its keys are when they are left out; undefined when it is none of llama-server's. */
export function llamaServerModel(model: LlamaServerKeys): LlamaServerModel | undefined {
  const { model_path, gpu_layers = 0, context_size = 4096, threads = 4, batch_size = 512, slots = 8, extra_args = [] } = model
  return model_path === undefined ? undefined : { model_path, gpu_layers, context_size, threads, batch_size, slots, extra_args }
}

/** What a llama-server really runs with, once its `extra_args` have had their say. */
export interface LlamaServerSettings {
  readonly slots: number
  /** What one request may have; 0 is what the model was trained with. */
  readonly contextSize: number
  /** All slots share one cache, and a request may have all of it. */
  readonly unified: boolean
  /**
   * Tokens that all slots may have together, when they share. Never let in more: llama-server then fails every request that
   * runs, with a 500 ("Context size has been exceeded").
   */
  readonly sharedTokens?: number
  /** What `-c` must say for that. */
  readonly contextArgument: number
  /** -1 is all of them. */
  readonly gpuLayers: number
  readonly batchSize: number
  readonly microBatchSize: number
  /** ggml's names of what keys and values are stored as. */
  readonly keyType: string
  readonly valueType: string
  readonly cacheOnGpu: boolean
  /** Layers with a window keep everything all the same. */
  readonly wholeWindow: boolean
  /** A small model that guesses ahead; and files that are loaded beside the model. */
  readonly draftModel?: string
  readonly otherFiles: readonly string[]
}

/** Works out what a llama-server runs with. `knowsUnified` says whether its `--help` has `--kv-unified`. */
export function settingsOf(model: LlamaServerModel, knowsUnified: boolean): LlamaServerSettings {
  const args = model.extra_args
  const slots = positive(numberOf(args, '-np', '--parallel')) ?? model.slots
  const unified = lastOf(args, ['-kvu', '--kv-unified'], ['-no-kvu', '--no-kv-unified']) ?? knowsUnified
  const written = numberOf(args, '-c', '--ctx-size')
  const contextArgument = model.context_size * (unified ? 1 : slots)
  const layers = argumentOf(args, '-ngl', '--gpu-layers', '--n-gpu-layers')
  const draftModel = argumentOf(args, '-md', '--model-draft', '--spec-draft-model')
  return {
    slots,
    unified,
    ...(unified && { sharedTokens: written ?? model.context_size }),
    contextArgument,
    contextSize: written === undefined ? model.context_size : Math.floor(written / (unified ? 1 : slots)),
    gpuLayers: layers === undefined ? model.gpu_layers : /^\d+$/.test(layers) ? Number(layers) : -1,
    batchSize: positive(numberOf(args, '-b', '--batch-size')) ?? model.batch_size,
    microBatchSize: positive(numberOf(args, '-ub', '--ubatch-size')) ?? 512,
    keyType: argumentOf(args, '-ctk', '--cache-type-k') ?? 'f16',
    valueType: argumentOf(args, '-ctv', '--cache-type-v') ?? 'f16',
    cacheOnGpu: lastOf(args, ['-kvo', '--kv-offload'], ['-nkvo', '--no-kv-offload']) ?? true,
    wholeWindow: args.includes('--swa-full'),
    ...(draftModel && { draftModel }),
    otherFiles: ['-mm', '--mmproj', '--lora', '--control-vector'].flatMap(name => argumentOf(args, name)?.split(',') ?? []),
  }
}

const positive = (number: number | undefined) => (number !== undefined && number > 0 ? number : undefined)

/** Which of two opposites was said last. */
function lastOf(args: readonly string[], yes: readonly string[], no: readonly string[]): boolean | undefined {
  const last = args.findLast(word => yes.includes(word) || no.includes(word))
  return last === undefined ? undefined : yes.includes(last)
}
