import { type Gateway, processBackend, type ResolvedModel, type Target } from 'gatehouse'
import { canonical } from './canonical.ts'

/**
 * A short text for the part of the config that decides how a model is answered: where its backends are, what its process is
 * started with, and what the plugins are told. A reload that changes it leaves the answers of before behind.
 */
export function createConfigPrint(config: Gateway['config']): (model: ResolvedModel) => string {
  const { backends, pipeline, options, plugins, models, llama_server_path, models_dir } = config
  const common = print([pipeline, options, plugins.configs])
  const byName = new Map(Object.entries(backends).map(([name, entry]) => [name, print(entry)]))
  /** Models that gatehouse runs: by their file, their command and their arguments. */
  const served = new Map(models.filter(({ targets }) => targets.length === 0).map(model => [model.name, print([llama_server_path, model])]))
  const lying = print([llama_server_path, models_dir])
  const placeOf = ({ backend, model }: Target) =>
    byName.get(backend) ?? (backend === processBackend ? (served.get(model) ?? lying) : backend)
  return ({ targets }) => targets.reduce((text, target) => `${text} ${placeOf(target)}`, common)
}

/** A digest, because the config holds secrets. */
const print = (value: unknown) => Bun.SHA256.hash(canonical(value).text, 'hex')
