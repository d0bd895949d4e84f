import { createAdminModels } from './admin-models.ts'
import type { Backend } from './backends/backend.ts'
import { processBackend } from './config/references.ts'
import type { Config } from './config/schema.ts'
import { ConfigError } from './errors.ts'
import type { Gateway, Route } from './gateway.ts'
import type { House } from './house.ts'
import { createModels } from './model-names.ts'
import { createProcessBackend } from './model-servers/backend.ts'
import { wantsProcesses } from './model-servers.ts'
import type { Fingerprint } from './pipeline.ts'
import { healthRoutes } from './routes/health.ts'
import { homeRoute } from './routes/home.ts'
import { modelRoutes } from './routes/models.ts'
import { processRoutes } from './routes/processes.ts'
import { tokenizeRoute } from './routes/tokenize.ts'
import type { Store } from './stores/store.ts'
import { createTokens } from './tokens.ts'

/** What plugins see of the house, and what they leave in it. */
export interface OpenGateway {
  readonly gateway: Gateway
  /** The routes of the house, and those that plugins add. */
  readonly routes: readonly Route[]
  /** Those that plugins add. */
  readonly added: readonly Backend[]
  /** Reads the models that were made through the admin API. */
  start(): Promise<void>
  /** To be called when the plugins are set up: what the layers below each would add to a request. */
  setFingerprints(below: ReadonlyMap<string, Fingerprint>): void
  /** Lets go of the models that were made through the admin API. */
  close(): Promise<void>
}

/** Opens the house to the plugins of one config. */
export function openGateway(house: House, config: Config, store: Store, configured: ReadonlyMap<string, Backend>): OpenGateway {
  const { log, exchanges, stopping, runs, accounts } = house
  const { supervisor: processes } = house.servers
  const backends = new Map(configured)
  if (wantsProcesses(config)) backends.set(processBackend, createProcessBackend(house.servers))
  const offering = new Map(configured) // the backend of a model made through the admin API serves that model alone
  const added: Backend[] = []
  const health = new Map<string, () => unknown>()
  const made = createAdminModels({ records: accounts.records.models, backends, pool: house.backends, log })
  const models = createModels({
    configured: config.models,
    served: () => (config.models_dir === undefined ? [] : house.servers.models()),
    defaultBackend: config.default_backend,
    backends: offering,
    reachable: backends,
    made,
    declared: new Map(Object.entries(config.backends).flatMap(([name, { models }]) => (models ? [[name, models] as const] : []))),
    timeoutMs: config.health_check_timeout,
    log,
    memory: house.offers,
  })
  const tokens = createTokens({ backends, workers: house.workers, log })
  const routes: Route[] = [
    homeRoute(),
    ...healthRoutes({ sections: health, backends, store, config, stopping, runs, processes, settings: accounts.records.settings }),
    ...modelRoutes({ models }),
    tokenizeRoute({ models, tokens }),
    ...processRoutes({ processes, records: accounts.records, stopping }),
    ...house.routes,
  ]
  let below: ReadonlyMap<string, Fingerprint> = new Map()

  const gateway: Gateway = {
    log,
    config,
    store,
    backends,
    models,
    workers: house.workers,
    tokens,
    exchanges,
    routes,
    records: accounts.records,
    keys: accounts.keys,
    ledger: accounts.ledger,
    leases: accounts.leases,
    usage: accounts.usage,
    processes,
    addBackend(backend) {
      if (backends.has(backend.name)) throw new ConfigError(`there already is a backend called "${backend.name}"`)
      backends.set(backend.name, backend)
      offering.set(backend.name, backend)
      added.push(backend)
    },
    addRoute(route) {
      const clash = routes.find(
        ({ method, path }) => path === route.path && (method === route.method || method === 'ALL' || route.method === 'ALL'),
      )
      if (clash) throw new ConfigError(`there already is a route ${route.method} ${route.path}`)
      routes.push(route)
    },
    addHealth(section, tell) {
      if (health.has(section)) throw new ConfigError(`there already is a section ${section} in /health`)
      health.set(section, tell)
    },
    fingerprintBelow: (plugin, ctx) => below.get(plugin)?.(ctx) ?? '',
    shared: house.shared.of,
  }
  return {
    gateway,
    routes,
    added,
    start: made.start,
    setFingerprints(fingerprints) {
      below = fingerprints
      made.tellStrays()
    },
    close: made.close,
  }
}
