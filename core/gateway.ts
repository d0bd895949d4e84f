import type { Logger } from 'pino'
import type { Backend } from './backends/backend.ts'
import type { Config } from './config/schema.ts'
import type { Access, Context, RouteContext } from './context.ts'
import type { Models } from './models.ts'
import type { Operation, Payload } from './openai.ts'
import type { MaybePromise } from './plugin.ts'
import type { Supervisor } from './processes/supervisor.ts'
import type { Ledger } from './records/ledger.ts'
import type { Records } from './records/records.ts'
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
  /** CPU-heavy work, off the event loop. Present from the release that brings the worker pool. */
  readonly workers?: Workers
  /** Present from the release that brings token counting. */
  readonly tokens?: Tokens
  /** Present from the release that brings managed keys. */
  readonly records?: Records
  readonly ledger?: Ledger
  /** Present from the release that brings model processes. */
  readonly processes?: Supervisor
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
  handle(ctx: RouteContext): MaybePromise<Response>
}

/** The requests that are being answered now. */
export interface Exchanges {
  list(): readonly Context[]
  /** Ends one; its client gets an error, its upstream is closed. False when it is not (or no longer) there. */
  cancel(id: string): boolean
}

/** CPU-heavy work. Small inputs run inline, because a thread round trip costs more than the work. */
export interface Workers {
  digest(bytes: Uint8Array): MaybePromise<string>
  countTokens(text: string, model: string): MaybePromise<number>
}

/** How many tokens a request has. */
export interface Tokens {
  /** A cheap upper bound, for reservations. */
  bound(payload: Readonly<Payload>, operation: Operation): number
  /** The count, and whether it is exact or an estimate. */
  count(payload: Readonly<Payload>, model: string, signal: AbortSignal): Promise<{ readonly tokens: number; readonly exact: boolean }>
}
