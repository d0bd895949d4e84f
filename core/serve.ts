import { dirname, join } from 'node:path'
import type { Backend } from './backends/backend.ts'
import { createBackend } from './backends/create.ts'
import type { Config } from './config/schema.ts'
import { forgetSecret } from './entry-key.ts'
import { ConfigError, GatewayError } from './errors.ts'
import { createExchanges } from './exchanges.ts'
import type { Gateway, Route } from './gateway.ts'
import { createClientIp } from './http/client-ip.ts'
import { createCors } from './http/cors.ts'
import { createKernel, type Listener } from './kernel.ts'
import { listen } from './listen.ts'
import type { AccessLine, Logger } from './log.ts'
import { createModels } from './model-names.ts'
import { composePipelines } from './pipeline.ts'
import { closePlugins, loadPlugins, type PluginSources, setUpPlugins } from './plugins.ts'
import { healthRoutes } from './routes/health.ts'
import { homeRoute } from './routes/home.ts'
import { modelRoutes } from './routes/models.ts'
import { hideAll, secretsOf } from './secrets.ts'
import type { Store } from './stores/store.ts'

export interface ServeOptions {
  readonly config: Config
  /** The config file, when there is one: relative plugin paths count from its folder. */
  readonly configFile?: string | undefined
  readonly log: Logger
  /** Where the line of each request goes. */
  readonly access: (line: AccessLine) => void
  readonly store: Store
  readonly plugins: Pick<PluginSources, 'builtIn' | 'reserved'>
}

/** A gateway that listens. */
export interface Serving {
  readonly listeners: readonly Listener[]
  readonly gateway: Gateway
  /**
   * Takes no new requests, lets those in flight end for at most `graceMs`, then ends the rest with an error
   * their clients can read, and closes everything. Calling it twice is one stop.
   */
  stop(graceMs: number): Promise<void>
}

const stoppingError = () =>
  new GatewayError(503, 'service_unavailable', 'stopping', 'gatehouse is stopping.', { headers: { 'retry-after': '5' } })

/** After the deadline, time for the last error events to reach slow clients. */
const lastWordsMs = 250

/** Start: backends → plugins in pipeline order → link → listen. Any throw ends the start with its reason. */
export async function serve({ config, configFile, log, access, store, plugins }: ServeOptions): Promise<Serving> {
  const backends = new Map<string, Backend>(Object.entries(config.backends).map(([name, entry]) => [name, createBackend(name, entry)]))
  const exchanges = createExchanges()
  const models = createModels({
    configured: config.models,
    defaultBackend: config.default_backend,
    backends,
    declared: new Map(Object.entries(config.backends).flatMap(([name, { models }]) => (models ? [[name, models] as const] : []))),
    timeoutMs: config.health_check_timeout,
    log,
  })
  let stopping = false
  let forgotten = false // the first key's file, once the key was used
  const routes: Route[] = [homeRoute(), ...healthRoutes({ backends, config, stopping: () => stopping }), ...modelRoutes({ models })]
  const gateway: Gateway = {
    log,
    config,
    store,
    backends,
    models,
    exchanges,
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
  }
  const loaded = await loadPlugins(config.pipeline, name => optionsOf(config, name), {
    ...plugins,
    baseDir: configFile ? dirname(configFile) : process.cwd(),
    pluginDir: join(config.data_dir, 'plugins'),
  })
  rejectStrayOptions(
    config,
    loaded.map(({ plugin }) => plugin.name),
  )
  const layers = await setUpPlugins(loaded, gateway)

  const kernel = createKernel({
    log,
    models,
    bodyLimit: config.max_body_size,
    heartbeatMs: config.heartbeat,
    totalMs: config.timeouts.total,
    newId: () => crypto.randomUUID(),
    hideSecrets: hideAll(secretsOf(config)),
    pipelines: composePipelines(layers),
    routes,
    cors: createCors(config.cors_origins),
    clientIp: createClientIp(config.trusted_proxies),
    onOpen: exchanges.open,
    onEnd(exchange, status) {
      exchanges.close(exchange)
      const { ctx, openedAt } = exchange
      const latency = Math.round((performance.now() - openedAt) * 1000) / 1000
      const { id, ip, principal, request, url } = ctx
      access({
        request_id: id,
        method: request.method,
        path: url.pathname,
        status,
        latency,
        ip,
        ...(ctx.payload.model && { model: ctx.payload.model }),
        ...(principal.kind !== 'anonymous' && { key_id: principal.id }),
      })
      if (principal.id !== 'initial' || forgotten) return
      forgotten = true
      forgetSecret(config.data_dir).catch(err => log.warn({ err }, 'the file with the first key could not be removed'))
    },
    stopping: () => stopping,
  })

  let listeners: readonly Listener[]
  try {
    listeners = listen(kernel, config)
  } catch (error) {
    await closePlugins(layers, gateway)
    throw error
  }

  const shutDown = async (graceMs: number) => {
    stopping = true
    const deadline = performance.now() + graceMs
    const busy = exchanges.size > 0 || exchanges.quietMs() < 2000 // then there may be bytes on their way
    exchanges.cancelAll(stoppingError(), ['reading']) // no model works on them yet
    const sent = Promise.all(listeners.map(listener => listener.stop()))
    if (!(await within(graceMs, exchanges.idle()))) {
      log.warn({ in_flight: exchanges.size }, 'ending the requests that are still in flight')
      exchanges.cancelAll(stoppingError())
      await within(lastWordsMs, exchanges.idle())
    }
    // an exchange is settled when its last bytes are handed to the socket; slow clients still read them
    await within(busy ? Math.max(lastWordsMs, deadline - performance.now()) : lastWordsMs, sent)
    await closePlugins(layers, gateway)
    for (const backend of backends.values()) await backend.close?.()
    await store.close()
    for (const listener of listeners) listener.close()
  }
  let stopped: Promise<void> | undefined
  return {
    listeners,
    gateway,
    stop(graceMs) {
      stopped ??= shutDown(graceMs)
      return stopped
    },
  }
}

/** A plugin's options stand under its own name at the top level, or in `plugins.configs`. */
function optionsOf({ options, plugins, limiter, router }: Config, name: string): unknown {
  for (const sections of [options, plugins.configs, { limiter, router }]) {
    if (Object.hasOwn(sections, name)) return (sections as Readonly<Record<string, unknown>>)[name]
  }
}

function rejectStrayOptions({ options }: Config, names: readonly string[]): void {
  const stray = Object.keys(options).find(name => !names.includes(name))
  if (stray !== undefined) throw new ConfigError(`${stray}: there is no such setting, and no plugin in the pipeline is called "${stray}"`)
}

async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: Timer | undefined
  const late = new Promise<false>(resolve => {
    timer = setTimeout(resolve, ms, false)
  })
  const done = await Promise.race([work.then(() => true), late])
  clearTimeout(timer)
  return done
}
