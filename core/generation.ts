import { dirname, join } from 'node:path'
import type { Backend } from './backends/backend.ts'
import { createBackend } from './backends/create.ts'
import type { Config } from './config/schema.ts'
import type { RunReport } from './data-folder/starts.ts'
import { ConfigError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { ExchangeRegister } from './exchanges.ts'
import type { Gateway, Route } from './gateway.ts'
import { createClientIp } from './http/client-ip.ts'
import { createCors } from './http/cors.ts'
import { createKernel, type Kernel } from './kernel.ts'
import type { Logger } from './log.ts'
import { createModels } from './model-names.ts'
import type { OfferMemory } from './offers.ts'
import { composePipelines, type Fingerprint, fingerprintsBelow, type Layer } from './pipeline.ts'
import { closePlugins, loadPlugins, optionsOf, type PluginSources, setUpPlugins } from './plugins.ts'
import { healthRoutes } from './routes/health.ts'
import { homeRoute } from './routes/home.ts'
import { modelRoutes } from './routes/models.ts'
import { hideAll, secretsOf } from './secrets.ts'
import type { Store } from './stores/store.ts'

/** What belongs to the house and not to one config: it is handed from generation to generation. */
export interface House {
  readonly log: Logger
  readonly store: Store
  readonly exchanges: ExchangeRegister
  readonly offers: OfferMemory
  /** What plugins keep beyond a reload; see `Gateway.shared`. */
  readonly shared: Map<string, object>
  readonly plugins: Pick<PluginSources, 'builtIn' | 'reserved' | 'alwaysOn'>
  /** Routes of the house itself. */
  readonly routes: readonly Route[]
  readonly runs?: (() => RunReport) | undefined
  readonly stopping: () => boolean
  /** Called when a request is over. */
  readonly onEnd: (exchange: Exchange, status: number, config: Config) => void
}

/** Everything that was made from one config: backends, plugins, the linked pipeline. */
export interface Generation {
  readonly config: Config
  readonly gateway: Gateway
  readonly kernel: Kernel
  /** Those made from the config, by name. */
  readonly configured: ReadonlyMap<string, Backend>
  /** Resolves when its last request is over. */
  idle(): Promise<void>
  /** Closes its plugins, and its backends but those that `next` has taken over. */
  close(next?: Generation): Promise<void>
}

/**
 * Backends → plugins in pipeline order → link. Backends whose config did not change since `previous` are taken
 * over, with what is known of their models. Any throw leaves nothing open.
 */
export async function createGeneration(
  house: House,
  config: Config,
  configFile: string | undefined,
  previous?: Generation,
): Promise<Generation> {
  const { log, store, exchanges, plugins } = house
  const hideSecrets = hideAll(secretsOf(config))
  const configured = new Map<string, Backend>(
    Object.entries(config.backends).map(([name, entry]) => {
      const same = Bun.deepEquals(previous?.config.backends[name], entry)
      return [name, (same && previous?.configured.get(name)) || createBackend(name, entry)]
    }),
  )
  const backends = new Map(configured)
  const models = createModels({
    configured: config.models,
    defaultBackend: config.default_backend,
    backends,
    declared: new Map(Object.entries(config.backends).flatMap(([name, { models }]) => (models ? [[name, models] as const] : []))),
    timeoutMs: config.health_check_timeout,
    log,
    memory: house.offers,
  })
  const routes: Route[] = [
    homeRoute(),
    ...healthRoutes({ backends, config, stopping: house.stopping, runs: house.runs }),
    ...modelRoutes({ models }),
    ...house.routes,
  ]
  const gateway: Gateway = {
    log,
    config,
    store,
    backends,
    models,
    exchanges,
    routes,
    addBackend(backend) {
      if (backends.has(backend.name)) throw new ConfigError(`there already is a backend called "${backend.name}"`)
      backends.set(backend.name, backend)
    },
    addRoute(route) {
      const clash = routes.find(
        ({ method, path }) => path === route.path && (method === route.method || method === 'ALL' || route.method === 'ALL'),
      )
      if (clash) throw new ConfigError(`there already is a route ${route.method} ${route.path}`)
      routes.push(route)
    },
    fingerprintBelow: (plugin, ctx) => below.get(plugin)?.(ctx) ?? '',
    shared<T extends object>(name: string, create: () => T) {
      const value = (house.shared.get(name) as T | undefined) ?? create()
      house.shared.set(name, value)
      return value
    },
  }
  let below: ReadonlyMap<string, Fingerprint> = new Map()
  const closeBackends = async (next?: Generation) => {
    for (const backend of backends.values()) if (![...(next?.configured.values() ?? [])].includes(backend)) await backend.close?.()
  }

  const loaded = await loadPlugins(config.pipeline, name => optionsOf(config, name), {
    ...plugins,
    baseDir: configFile ? dirname(configFile) : process.cwd(),
    pluginDir: join(config.data_dir, 'plugins'),
  }).catch(error => complain(error, hideSecrets))
  rejectStrayOptions(
    config,
    loaded.map(({ plugin }) => plugin.name),
  )
  const layers = await setUpPlugins(loaded, gateway).catch(async (error: unknown) => {
    await closeBackends(previous)
    return complain(error, hideSecrets)
  })
  below = fingerprintsBelow(layers)
  const pipelines = await link(layers).catch(async (error: unknown) => {
    await closePlugins(layers, gateway)
    await closeBackends(previous)
    throw error
  })

  let inFlight = 0
  let quiet: (() => void)[] = []
  const kernel = createKernel({
    log,
    models,
    bodyLimit: config.max_body_size,
    heartbeatMs: config.heartbeat,
    totalMs: config.timeouts.total,
    newId: () => crypto.randomUUID(),
    hideSecrets,
    pipelines,
    routes,
    cors: createCors(config.cors_origins),
    clientIp: createClientIp(config.trusted_proxies),
    onOpen(exchange) {
      inFlight++
      exchanges.open(exchange)
    },
    onEnd(exchange, status) {
      exchanges.close(exchange)
      house.onEnd(exchange, status, config)
      if (--inFlight > 0) return
      for (const resolve of quiet) resolve()
      quiet = []
    },
    stopping: house.stopping,
  })

  return {
    config,
    gateway,
    kernel,
    configured,
    idle: () => (inFlight === 0 ? Promise.resolve() : new Promise(resolve => quiet.push(resolve))),
    async close(next) {
      await closePlugins(layers, gateway)
      await closeBackends(next)
    },
  }
}

/** Async, so that a wrong order is a rejection like the others. */
const link = async (layers: readonly Layer[]) => composePipelines(layers)

function rejectStrayOptions({ options }: Config, names: readonly string[]): void {
  const stray = Object.keys(options).find(name => !names.includes(name))
  if (stray !== undefined) throw new ConfigError(`${stray}: there is no such setting, and no plugin in the pipeline is called "${stray}"`)
}

/** What a plugin complains of may quote its options. */
function complain(error: unknown, hideSecrets: (text: string) => string): never {
  throw error instanceof ConfigError ? new ConfigError(hideSecrets(error.message), { cause: error.cause }) : error
}
