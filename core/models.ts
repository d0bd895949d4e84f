import type { Backend, ModelInfo } from './backends/backend.ts'
import type { Principal } from './context.ts'
import type { MaybePromise } from './plugin.ts'

/** One place a model name can be sent to. */
export interface Target {
  /** Name of a backend in `gateway.backends`. */
  readonly backend: string
  /** The model's name there. */
  readonly model: string
  /** Share of the traffic under `strategy: weighted`. */
  readonly weight: number
  /** Requests it gets at a time; left out, what its backend says. */
  readonly slots?: number
  /** Fields written over the request before it goes to this target. */
  readonly set: Readonly<Record<string, unknown>>
  /** Fields removed from the request before it goes to this target. */
  readonly strip: readonly string[]
}

/** How the router orders the targets of a model. */
export type Strategy = 'failover' | 'weighted' | 'least-busy' | 'fastest' | 'warm' | 'sticky'

/** What a model name means: the places that serve it, in the order they are configured. */
export interface ResolvedModel {
  /** The name the client used; every answer carries it. */
  readonly asked: string
  /** The configured name behind an alias or wildcard; the asked one otherwise. */
  readonly name: string
  readonly strategy: Strategy
  readonly targets: readonly Target[]
  readonly contextLength?: number
  readonly maxOutputTokens?: number
  /** Of a model made through the admin API: another one after each change of it, so that nobody takes answers of before for its own. */
  readonly revision?: number
}

/** A row of `/v1/models`. */
export interface ListedModel extends ModelInfo {
  /** Unix seconds; 0 when nobody knows. */
  readonly created: number
}

/** The model names of the house, live: config, then the models made through the admin API, then what the backends report. */
export interface Models {
  /** What a name means, or undefined when nobody serves it. */
  resolve(name: string): MaybePromise<ResolvedModel | undefined>
  /** Every name a caller may use. Throws a 502 when no backend could be asked and nothing is configured. */
  list(principal: Principal, signal: AbortSignal): Promise<readonly ListedModel[]>
  /** True when the config says what a name means. A model of that name made through the admin API counts for nothing then. */
  configured(name: string): boolean
  /** The backends whose models can be used by the names they have there: those of the config and of plugins. */
  offering(): readonly Backend[]
  /** Resolves when what was changed through the admin API until now counts for requests. */
  settled(): Promise<void>
}
