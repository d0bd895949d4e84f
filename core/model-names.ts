import type { ModelConfig } from './config/model-schema.ts'
import type { ListedModel, Models, ResolvedModel, Target } from './models.ts'
import { createOffers, type OffersOptions } from './offers.ts'

export interface ModelNamesOptions extends OffersOptions {
  /** The `models` of the config. */
  readonly configured: readonly ModelConfig[]
  readonly defaultBackend: string | undefined
}

/** The model names of the house: the config's first, then what the backends report. */
export function createModels({ configured, defaultBackend, backends, ...asking }: ModelNamesOptions): Models {
  const named = configured.flatMap(model => [model.name, ...model.aliases].map(name => ({ name, model })))
  const exact = new Map(named.filter(({ name }) => !name.includes('*')).map(({ name, model }) => [name, model]))
  const wildcards = named.filter(({ name }) => name.includes('*'))
  const offers = createOffers({ backends, ...asking })

  const claimed = (name: string): ResolvedModel | undefined => {
    const targets = [...backends.keys()].flatMap(backend => {
      const model = findModel(offers.known(backend), name)
      return model ? [target(backend, model.id)] : []
    })
    return targets.length > 0 ? resolved(name, targets) : undefined
  }
  const byDefault = (name: string) => (defaultBackend === undefined ? undefined : resolved(name, [target(defaultBackend, name)]))

  return {
    resolve(name) {
      const model = exact.get(name)
      if (model) return fromConfig(name, model, name)
      for (const { name: pattern, model } of wildcards) {
        const rest = matchWildcard(pattern, name)
        if (rest !== undefined) return fromConfig(name, model, rest)
      }
      const [first] = backends.keys()
      if (first === undefined) return
      if (backends.size === 1) return resolved(name, [target(first, name)])
      if (name === '') return byDefault(name)
      const found = claimed(name)
      if (!found) return offers.search(() => claimed(name)).then(late => late ?? byDefault(name))
      offers.refresh()
      return found
    },

    async list() {
      const answers = await offers.askAll()
      const rows = new Map<string, ListedModel>()
      for (const { name, context_length: contextLength } of configured) {
        if (!name.includes('*')) rows.set(name, { id: name, ownedBy: 'gatehouse', created: 0, ...(contextLength && { contextLength }) })
      }
      for (const answer of answers) {
        if (answer instanceof Error) continue
        for (const model of answer) if (!rows.has(model.id)) rows.set(model.id, { ...model, created: model.created ?? 0 })
      }
      // nobody could be asked: an empty 200 would say that there are no models
      const failure = answers.find(answer => answer instanceof Error)
      if (rows.size === 0 && failure) throw failure
      return [...rows.values()]
    },
  }
}

/** The model a name means in a list; as with Ollama, a name without a tag means `:latest`. */
export const findModel = <M extends { readonly id: string }>(models: readonly M[], name: string): M | undefined =>
  models.find(({ id }) => id === name) ?? (name.includes(':') ? undefined : models.find(({ id }) => id === `${name}:latest`))

/** What stands for the `*` when `pattern` (with one `*`) matches `name`. */
export function matchWildcard(pattern: string, name: string): string | undefined {
  const star = pattern.indexOf('*')
  const before = pattern.slice(0, star)
  const after = pattern.slice(star + 1)
  if (name.length <= before.length + after.length || !name.startsWith(before) || !name.endsWith(after)) return
  return name.slice(before.length, name.length - after.length)
}

const target = (backend: string, model: string): Target => ({ backend, model, weight: 1, set: {}, strip: [] })

const resolved = (asked: string, targets: readonly Target[]): ResolvedModel => ({ asked, name: asked, strategy: 'failover', targets })

/** `rest` is what the wildcard stood for, or the whole name: what a target without a model of its own gets. */
function fromConfig(asked: string, model: ModelConfig, rest: string): ResolvedModel {
  const { name, strategy, targets, context_length: contextLength, max_output_tokens: maxOutputTokens } = model
  return {
    asked,
    name,
    strategy,
    targets: targets.map(({ backend, model = rest, weight, set, strip }) => ({
      backend,
      model: model.replace('*', () => rest),
      weight,
      set,
      strip,
    })),
    ...(contextLength && { contextLength }),
    ...(maxOutputTokens && { maxOutputTokens }),
  }
}
