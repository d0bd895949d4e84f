import type { Accounts } from './accounts.ts'
import type { BackendPool } from './backend-pool.ts'
import type { Config } from './config/schema.ts'
import type { RunReport } from './data-folder/starts.ts'
import type { Exchange } from './exchange.ts'
import type { ExchangeRegister } from './exchanges.ts'
import type { Gateway, Route } from './gateway.ts'
import type { Logger } from './log.ts'
import type { ModelServers } from './model-servers.ts'
import type { OfferMemory } from './offers.ts'
import type { PluginSources } from './plugins.ts'
import type { StorePool } from './store-pool.ts'
import type { ClosableWorkers } from './workers.ts'

/** What belongs to the house and not to one config: it is handed from generation to generation. */
export interface House {
  readonly log: Logger
  readonly accounts: Accounts
  readonly stores: StorePool
  readonly exchanges: ExchangeRegister
  readonly backends: BackendPool
  readonly offers: OfferMemory
  readonly workers: ClosableWorkers
  /** The models that gatehouse runs itself. */
  readonly servers: ModelServers
  /** What plugins keep beyond a reload. */
  readonly shared: Shared
  readonly plugins: Pick<PluginSources, 'builtIn' | 'reserved' | 'alwaysOn'>
  /** Routes of the house itself. */
  readonly routes: readonly Route[]
  readonly runs?: (() => RunReport) | undefined
  readonly stopping: () => boolean
  /** Called when a request is over. */
  readonly onEnd: (exchange: Exchange, status: number, config: Config) => void
}

/** What plugins keep beyond a reload; see `Gateway.shared`. */
export interface Shared {
  readonly of: Gateway['shared']
  /** By the name of the plugin. */
  entries(): Iterable<readonly [string, object]>
}

/** Nothing kept yet. */
export function createShared(): Shared {
  const kept = new Map<string, object>()
  return {
    of<T extends object>(name: string, create: () => T) {
      const value = (kept.get(name) as T | undefined) ?? create()
      kept.set(name, value)
      return value
    },
    entries: () => kept,
  }
}
