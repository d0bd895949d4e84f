import { aliasesOf, type ModelConfig } from '../config/model-schema.ts'
import { processDefaults, serverDefaults } from '../config/process-schema.ts'
import type { FolderModel } from '../processes/gguf-folder.ts'
import { llamaServerModel, settingsOf } from '../processes/llama-server-settings.ts'

/** A model that gatehouse runs itself, with what is left out filled in. */
export type ServedModel = ModelConfig & typeof processDefaults

/** Requests a model takes at a time. */
export interface Places {
  readonly slots: number
  /** Tokens that all of them may have together, where they share one memory. */
  readonly sharedTokens?: number | undefined
}

/** True for a model of the config that has a process of its own. */
export const runsItself = (model: ModelConfig): model is ServedModel => model.model_path !== undefined || model.command !== undefined

/** The models of a config that have a process, and those of its folder whose names are not taken. */
export function servedModels(configured: readonly ModelConfig[], found: readonly FolderModel[]): readonly ServedModel[] {
  const taken = new Set(configured.flatMap(({ name, aliases }) => [name, ...aliasesOf({ aliases }).map(alias => alias.name)]))
  return [...configured.filter(runsItself), ...found.filter(({ name }) => !taken.has(name)).map(ofFolder)]
}

const ofFolder = ({ name, path }: FolderModel): ServedModel => ({
  name,
  aliases: [],
  strategy: 'failover',
  targets: [],
  unlisted: false,
  model_path: path,
  ...serverDefaults,
  ...processDefaults,
})

/** How many requests a model takes. `knowsUnified` says whether the llama-server has `--kv-unified`. */
export function placesOf(model: ServedModel, knowsUnified: boolean): Places {
  const server = llamaServerModel(model)
  if (!server) return { slots: model.slots }
  const { slots, sharedTokens } = settingsOf(server, knowsUnified)
  return { slots, sharedTokens: sharedTokens || undefined } // 0 is what the model was trained with, which nobody here knows
}
