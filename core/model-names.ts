import type { Backend, ModelInfo } from './backends/backend.ts'
import type { Config } from './config/schema.ts'
import { GatewayError } from './errors.ts'
import type { Logger } from './log.ts'
import type { ListedModel, Models, ResolvedModel, Target } from './models.ts'

type ModelConfig = Config['models'][number]

export interface ModelNamesOptions {
  /** The `models` of the config. */
  readonly configured: readonly ModelConfig[]
  readonly defaultBackend: string | undefined
  /** Live: plugins may add to it while they are set up. */
  readonly backends: ReadonlyMap<string, Backend>
  /** By backend: the names it serves when it cannot be asked. */
  readonly declared: ReadonlyMap<string, readonly string[]>
  /** How long a backend may take to list its models. */
  readonly timeoutMs: number
  readonly log: Logger
  readonly now?: () => number
}

/** What a backend last said it serves is asked again after this long, so that a newly pulled model is found. */
const freshMs = 30_000
/** A name nobody knows makes us ask again, but not more often than this. */
const missMs = 1_000

type Survey = ReadonlyMap<string, readonly ModelInfo[] | Error>

/** The model names of the house: the config's first, then what the backends report. */
export function createModels({
  configured,
  defaultBackend,
  backends,
  declared,
  timeoutMs,
  log,
  now = Date.now,
}: ModelNamesOptions): Models {
  const named = configured.flatMap(model => [model.name, ...model.aliases].map(name => ({ name, model })))
  const exact = new Map(named.filter(({ name }) => !name.includes('*')).map(({ name, model }) => [name, model]))
  const wildcards = named.filter(({ name }) => name.includes('*'))
  const known = new Map<string, readonly ModelInfo[]>() // by backend, as it last reported; a backend that is down keeps its names
  let askedAt = Number.NEGATIVE_INFINITY
  let asking: Promise<Survey> | undefined

  /** Asks every backend; callers that arrive meanwhile share the answer. */
  const ask = (): Promise<Survey> => {
    asking ??= survey(backends, timeoutMs).then(asked => {
      const answers = new Map(asked)
      for (const [name, answer] of asked) {
        const names = declared.get(name)
        if (answer instanceof Error && names)
          answers.set(
            name,
            names.map(id => ({ id, ownedBy: name })),
          )
      }
      for (const [name, answer] of answers) {
        if (answer instanceof Error) log.debug({ backend: name, err: answer }, 'could not list models')
        else known.set(name, answer)
      }
      askedAt = now()
      asking = undefined
      return answers
    })
    return asking
  }

  const claimants = (name: string): Target[] =>
    [...backends.keys()].flatMap(backend => {
      const model = findModel(known.get(backend) ?? [], name)
      return model ? [target(backend, model.id)] : []
    })

  const discover = async (name: string): Promise<ResolvedModel | undefined> => {
    if (now() - askedAt > freshMs) await ask()
    let targets = claimants(name)
    if (targets.length === 0 && now() - askedAt > missMs) {
      await ask()
      targets = claimants(name)
    }
    if (targets.length > 0) return resolved(name, targets)
    return defaultBackend === undefined ? undefined : resolved(name, [target(defaultBackend, name)])
  }

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
      if (name === '') return defaultBackend === undefined ? undefined : resolved(name, [target(defaultBackend, name)])
      return discover(name)
    },

    async list() {
      const answers = await ask()
      const rows = new Map<string, ListedModel>()
      for (const { name, context_length: contextLength } of configured) {
        if (!name.includes('*')) rows.set(name, { id: name, ownedBy: 'gatehouse', created: 0, ...(contextLength && { contextLength }) })
      }
      for (const answer of answers.values()) {
        if (answer instanceof Error) continue
        for (const model of answer) if (!rows.has(model.id)) rows.set(model.id, { ...model, created: model.created ?? 0 })
      }
      const errors = [...answers.values()].filter(answer => answer instanceof Error)
      // nobody could be asked: an empty 200 would say that there are no models
      if (rows.size === 0 && errors.length > 0) throw errors[0]
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
  if (name.length < before.length + after.length || !name.startsWith(before) || !name.endsWith(after)) return
  return name.slice(before.length, name.length - after.length)
}

async function survey(backends: ReadonlyMap<string, Backend>, timeoutMs: number): Promise<Survey> {
  const ask = async (backend: Backend) => {
    try {
      return await backend.models(AbortSignal.timeout(timeoutMs))
    } catch (error) {
      return error instanceof GatewayError
        ? error
        : new GatewayError(502, 'server_error', 'bad_gateway', 'The model backend did not list its models.', { cause: error })
    }
  }
  return new Map(await Promise.all([...backends.values()].map(async backend => [backend.name, await ask(backend)] as const)))
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
      model: model.replace('*', rest),
      weight,
      set,
      strip,
    })),
    ...(contextLength && { contextLength }),
    ...(maxOutputTokens && { maxOutputTokens }),
  }
}
