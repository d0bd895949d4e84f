import { stat } from 'node:fs/promises'
import { type Footprint, predictFootprint } from './footprint.ts'
import type { Gguf } from './gguf.ts'
import type { GgufReader } from './gguf-cached.ts'
import { type LlamaServerKeys, type LlamaServerModel, type LlamaServerSettings, settingsOf } from './llama-server-settings.ts'

/** What decides how much memory a model's process has, of its config. */
export interface ModelShape extends LlamaServerKeys {
  readonly command?: string | undefined
}

/**
 * Predicts the memory of a model that llama-server runs, with what else its arguments load: a draft model with a cache of
 * its own, projectors, adapters. Rejects with a sentence when a file cannot be read.
 */
export async function predictModel(model: LlamaServerModel, read: GgufReader, knowsUnified: boolean): Promise<Footprint> {
  const settings = settingsOf(model, knowsUnified)
  const footprint = predictFootprint(await read(model.model_path), settings)
  const beside = await besides(settings, read)
  return { ...footprint, weights: footprint.weights + beside, bytes: footprint.bytes + beside }
}

async function besides(settings: LlamaServerSettings, read: GgufReader): Promise<number> {
  const { draftModel, otherFiles } = settings
  const draft = draftModel === undefined ? undefined : await read(draftModel).then((gguf: Gguf) => predictFootprint(gguf, settings))
  // llama-server will say so when one of them is not there
  const sizes = await Promise.all(
    otherFiles.map(path =>
      stat(path).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((total, size) => total + size, draft ? draft.weights + draft.cache + draft.compute : 0)
}

/** A print of what decides how much memory a model's process has: with another one, what was learned of it does not count. */
export async function footprintPrint(model: ModelShape): Promise<string> {
  const { model_path, gpu_layers, context_size, batch_size, slots, extra_args, command } = model
  const file = model_path === undefined ? undefined : await stat(model_path).catch(() => undefined)
  const said = JSON.stringify([model_path, file?.size, file?.mtimeMs, gpu_layers, context_size, batch_size, slots, extra_args, command])
  return new Bun.CryptoHasher('sha256').update(said).digest('hex').slice(0, 16)
}
