import { ownBackend } from './admin-models/place-backends.ts'
import type { AdminModels } from './admin-models.ts'
import type { Backend } from './backends/backend.ts'
import { type Alias, aliasesOf, type ModelConfig } from './config/model-schema.ts'
import { processBackend } from './config/references.ts'
import { runsItself, type ServedModel } from './model-servers/served-models.ts'
import type { ListedModel, Models, ResolvedModel, Target } from './models.ts'
import { createOffers, type OffersOptions } from './offers.ts'
import type { ModelRecord } from './records/models.ts'

export interface ModelNamesOptions extends OffersOptions {
  /** The `models` of the config. */
  readonly configured: readonly ModelConfig[]
  /** Those that gatehouse runs itself: of the config, and others that lie in a folder. Live. */
  readonly served?: () => readonly ServedModel[]
  readonly defaultBackend: string | undefined
  /** Those made through the admin API. */
  readonly made: Pick<AdminModels, 'find' | 'all' | 'settled'>
  /** Every backend a request can be sent to; `backends` are those among them that offer models of their own. */
  readonly reachable: ReadonlyMap<string, Backend>
}

/** The model names of the house: the config's first, then those made through the admin API, then what the backends report. */
export function createModels({ configured, served, defaultBackend, backends, made, reachable, ...asking }: ModelNamesOptions): Models {
  const named = configured.flatMap(model => [plainName(model), ...aliasesOf(model)].map(alias => ({ ...alias, model })))
  const exact = new Map(named.filter(({ name }) => !name.includes('*')).map(named => [named.name, named]))
  const wildcards = named.filter(({ name }) => name.includes('*'))
  const offers = createOffers({ backends, ...asking })

  const ofConfig = (name: string): ResolvedModel | undefined => {
    const known = exact.get(name)
    if (known) return fromConfig(name, known.model, name, known)
    for (const wildcard of wildcards) {
      const rest = matchWildcard(wildcard.name, name)
      if (rest !== undefined) return fromConfig(name, wildcard.model, rest, wildcard)
    }
    const found = served?.().find(model => model.name === name)
    return found && fromConfig(name, found, name, plainName(found))
  }
  const claims = (name: string): Target[] =>
    [...backends.keys()].flatMap(backend => {
      const model = findModel(offers.known(backend), name)
      return model ? [target(backend, model.id)] : []
    })
  const claimed = (name: string): ResolvedModel | undefined => {
    const targets = claims(name)
    return targets.length > 0 ? resolved(name, targets) : undefined
  }
  const byDefault = (name: string) => (defaultBackend === undefined ? undefined : resolved(name, [target(defaultBackend, name)]))

  /** Undefined for a disabled one, whoever offers that name: that is how an admin takes a model away. */
  const ofAdmin = (asked: string, row: ModelRecord): ResolvedModel | undefined => {
    if (!row.enabled) return
    const { name, upstreamModel, version: revision } = row
    const backend = row.baseUrl === null ? row.backend : ownBackend(row)
    const claimed = isOffer(row) ? claims(asked) : []
    const others = claimed.filter(other => other.backend !== backend)
    // a backend that has lost it would only say so
    const lost = others.length > 0 && others.length === claimed.length && offers.known(backend).length > 0
    const targets = [...(reachable.has(backend) && !lost ? [target(backend, upstreamModel ?? name)] : []), ...others]
    return targets.length > 0 ? { ...resolved(asked, targets), name, revision } : undefined
  }

  return {
    resolve(name) {
      const known = ofConfig(name)
      if (known) return known
      const row = made.find(name)
      if (row) {
        if (isOffer(row)) offers.refresh()
        return ofAdmin(name, row)
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
      const add = (model: Omit<ListedModel, 'created'> & { readonly created?: number }) => {
        if (!rows.has(model.id)) rows.set(model.id, { ...model, created: model.created ?? 0 })
      }
      for (const model of [...configured, ...(served?.() ?? [])]) {
        const contextLength = lengthOf(model)
        if (!model.name.includes('*') && !model.unlisted)
          add({ id: model.name, ownedBy: 'gatehouse', ...(contextLength && { contextLength }) })
      }
      const fromAdmin = [...made.all()].filter(({ name }) => !ofConfig(name))
      const addAll = (models: readonly ModelRecord[]) => {
        for (const row of models)
          if (ofAdmin(row.name, row)) add({ id: row.name, ownedBy: 'gatehouse', created: Math.floor(row.createdAt / 1000) })
      }
      addAll(fromAdmin.filter(row => !isOffer(row)))
      const disabled = new Set(fromAdmin.filter(({ enabled }) => !enabled).map(({ name }) => name))
      for (const answer of answers) {
        if (answer instanceof Error) continue
        for (const model of answer) if (!disabled.has(model.id)) add(model)
      }
      // what backends say of them is better than what is known here, so they come behind
      addAll(fromAdmin.filter(isOffer))
      // nobody could be asked: an empty 200 would say that there are no models
      const failure = answers.find(answer => answer instanceof Error)
      if (rows.size === 0 && failure) throw failure
      return [...rows.values()]
    },

    configured: name => ofConfig(name) !== undefined,
    offering: () => [...backends.values()],
    settled: made.settled,
  }
}

/** A sync has only written down what backends offer, so all that do may answer: one row must not take failover away. */
const isOffer = ({ source, baseUrl, upstreamModel }: ModelRecord): boolean =>
  source === 'sync' && baseUrl === null && upstreamModel === null

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

const plainName = ({ name }: ModelConfig): Alias => ({ name, set: {}, strip: [] })

/** What the server of a model is told counts for what fits. */
const lengthOf = ({ context_length: told, context_size: served }: ModelConfig) => told ?? served

/** `rest` is what the wildcard stood for, or the whole name: what a target without a model of its own gets. */
function fromConfig(asked: string, model: ModelConfig, rest: string, alias: Alias): ResolvedModel {
  const { name, strategy, max_output_tokens: maxOutputTokens } = model
  const contextLength = lengthOf(model)
  return {
    asked,
    name,
    strategy,
    targets: runsItself(model)
      ? [edited({ ...target(processBackend, name) }, alias)]
      : model.targets.map(({ backend, model = rest, weight, slots, set, strip }) =>
          edited({ backend, model: model.replace('*', () => rest), weight, ...(slots && { slots }), set, strip }, alias),
        ),
    ...(contextLength && { contextLength }),
    ...(maxOutputTokens && { maxOutputTokens }),
  }
}

/** What an alias changes comes after what its target does. */
function edited(target: Target, { set, strip }: Alias): Target {
  for (const _ in set) return { ...target, set: { ...target.set, ...set }, strip: [...target.strip, ...strip] }
  return strip.length > 0 ? { ...target, strip: [...target.strip, ...strip] } : target
}
