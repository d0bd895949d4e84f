import type { Logger } from 'pino'
import type { Encoding } from '../workers/ranks.ts'
import type { Backend } from './backends/backend.ts'
import type { Config } from './config/schema.ts'
import type { Access, Context, RouteContext } from './context.ts'
import type { Leases } from './leases.ts'
import type { Models, ResolvedModel } from './models.ts'
import type { Operation, Payload } from './openai.ts'
import type { MaybePromise } from './plugin.ts'
import type { Supervisor } from './processes/supervisor.ts'
import type { KeyIndex } from './records/key-index.ts'
import type { Ledger } from './records/ledger.ts'
import type { Records } from './records/records.ts'
import type { UsageGatherer } from './records/usage-gatherer.ts'
import type { Store } from './stores/store.ts'

/** The house, as a plugin sees it in `setup`. */
export interface Gateway {
  readonly log: Logger
  readonly config: Config
  readonly store: Store
  readonly backends: ReadonlyMap<string, Backend>
  readonly models: Models
  /** What is in flight now. */
  readonly exchanges: Exchanges
  /** Every route beside the model API, those of later plugins too. Live. */
  readonly routes: readonly Route[]
  /** Offers one more backend to the router. Call it in `setup`. A name already taken is an error. */
  addBackend(backend: Backend): void
  /** Opens one more path. A path already taken is an error. */
  addRoute(route: Route): void
  /** Adds a section to what `/health` tells callers with a key. Call it in `setup`. A name already taken is an error. */
  addHealth(section: string, tell: () => unknown): void
  /**
   * What the layers below the plugin called `plugin` would add to this request or change in it: part of the key of
   * whatever keeps answers. Empty when they add nothing.
   */
  fingerprintBelow(plugin: string, ctx: Context): MaybePromise<string>
  /**
   * What a plugin keeps beyond a reload of the config, by the plugin's name: made by the first who asks, handed to
   * all later ones, closed (if it can be) when gatehouse stops.
   */
  shared<T extends object>(name: string, create: () => T): T
  /** CPU-heavy work, off the event loop. */
  readonly workers: Workers
  /** How many tokens a request has. */
  readonly tokens: Tokens
  /** Keys, models, usage, audit: what outlives the process. */
  readonly records: Records
  /** All managed keys, by the hash of their secrets. */
  readonly keys: KeyIndex
  /** Who has spent how many tokens. */
  readonly ledger: Ledger
  /** Who has how many requests at a time. */
  readonly leases: Leases
  /** What requests used, for reports. */
  readonly usage: UsageGatherer
  /** The models that gatehouse runs itself. */
  readonly processes: Supervisor
}

/** A path beside the model API. Its requests pass `auth` and `limiter`, then `handle`. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'ALL'
  /** With `:name` parameters and a trailing `/*`. */
  readonly path: string
  readonly access: Access
  readonly limited: boolean
  /** `json`: parsed into `ctx.payload` before `handle`; `raw`: bytes from `ctx.wire()`; `none`: not read. */
  readonly body: 'json' | 'raw' | 'none'
  /** Its answers are somebody else's: nothing is put into a stream of theirs, neither heartbeats nor the error that ends it. */
  readonly verbatim?: boolean
  handle(ctx: RouteContext): MaybePromise<Response>
}

/** The requests that are being answered now. */
export interface Exchanges {
  list(): readonly Context[]
  /** Ends one; its client gets an error, its upstream is closed. False when it is not (or no longer) there. */
  cancel(id: string): boolean
}

/** CPU-heavy work, in threads where that keeps the event loop free. Threads start with the first task that needs them. */
export interface Workers {
  /** SHA-256 in hexadecimal; of a text, that of its UTF-8. At once below a size, because a thread would answer later. */
  digest(data: Uint8Array | string): MaybePromise<string>
  /**
   * The tokens of texts, each counted by itself. Never fails: an estimate, with a warning in the log, when no thread could
   * do it in time. Rejects only with the reason of the signal.
   */
  countTokens(texts: readonly string[], encoding: Encoding, signal?: AbortSignal): Promise<TextCount>
}

/** How many tokens there are, and how that was found out. */
export interface TextCount {
  readonly tokens: number
  /** False when something had to be guessed. */
  readonly exact: boolean
  /** `backend` when the server that would answer was asked; a tokenizer's name; `estimate` when it was guessed by length. */
  readonly method: 'backend' | Encoding | 'estimate'
}

/** How many tokens requests have. */
export interface Tokens {
  /**
   * An upper bound within microseconds, for reservations: whatever tokenizer and chat template the model has, the prompt
   * costs no more. Tighter for media when the model is known. It may be more than the model's context length.
   */
  bound(payload: Readonly<Payload>, operation: Operation, model?: Pick<ResolvedModel, 'targets'>): number
  /**
   * The prompt's tokens at the model's first target: asked of the backend where it can tell, else counted with the nearest
   * tokenizer, else estimated. Rejects only with the reason of the signal.
   */
  count(payload: Readonly<Payload>, operation: Operation, model: Pick<ResolvedModel, 'targets'>, signal: AbortSignal): Promise<TextCount>
}
