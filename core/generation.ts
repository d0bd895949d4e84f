import { dirname, join } from 'node:path'
import type { Backend } from './backends/backend.ts'
import type { Config } from './config/schema.ts'
import { ConfigError } from './errors.ts'
import type { Gateway } from './gateway.ts'
import type { House } from './house.ts'
import { createClientIp } from './http/client-ip.ts'
import { createCors } from './http/cors.ts'
import { createKernel, type Kernel } from './kernel.ts'
import { openGateway } from './open-gateway.ts'
import { composePipelines, fingerprintsBelow, type Layer } from './pipeline.ts'
import { closePlugins, loadPlugins, optionsOf, setUpPlugins } from './plugins.ts'
import { hideAll, secretsOf } from './secrets.ts'

/** Everything that was made from one config: backends, plugins, the linked pipeline. */
export interface Generation {
  readonly config: Config
  readonly gateway: Gateway
  readonly kernel: Kernel
  /** Resolves when its last request is over. */
  idle(): Promise<void>
  /** Closes its plugins and its backends, but those that another generation uses. */
  close(): Promise<void>
}

/** Backends → plugins in pipeline order → link. Any throw leaves nothing open. */
export async function createGeneration(house: House, config: Config, configFile: string | undefined): Promise<Generation> {
  const { log, exchanges } = house
  const store = await house.stores.take(config.redis)
  const configured = new Map(Object.entries(config.backends).map(([name, entry]) => [name, house.backends.take(name, entry)]))
  const opened = openGateway(house, config, store, configured)
  const { gateway, routes } = opened
  let layers: readonly Layer[] = []
  const close = async () => {
    await closePlugins(layers, gateway)
    for (const backend of opened.added) await closeBackend(backend, house, () => backend.close?.())
    await opened.close()
    for (const backend of configured.values()) await closeBackend(backend, house, () => house.backends.release(backend))
    await house.stores.release(store)
  }

  const hideSecrets = hideAll(secretsOf(config))
  try {
    await opened.start()
    layers = await openLayers(house, config, configFile, gateway)
    opened.setFingerprints(fingerprintsBelow(layers))
    let inFlight = 0
    let quiet: (() => void)[] = []
    const kernel = createKernel({
      log,
      models: gateway.models,
      bodyLimit: config.max_body_size,
      heartbeatMs: config.heartbeat,
      totalMs: config.timeouts.total,
      newId: () => crypto.randomUUID(),
      hideSecrets,
      pipelines: composePipelines(layers),
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
    const idle = () => (inFlight === 0 ? Promise.resolve() : new Promise<void>(resolve => quiet.push(resolve)))
    return { config, gateway, kernel, idle, close }
  } catch (error) {
    await close()
    // what a plugin complains of may quote its options
    throw error instanceof ConfigError ? new ConfigError(hideSecrets(error.message), { cause: error.cause }) : error
  }
}

/** The plugins of the pipeline, set up. */
async function openLayers({ plugins }: House, config: Config, configFile: string | undefined, gateway: Gateway): Promise<Layer[]> {
  const loaded = await loadPlugins(config.pipeline, name => optionsOf(config, name), {
    ...plugins,
    baseDir: configFile ? dirname(configFile) : process.cwd(),
    pluginDir: join(config.data_dir, 'plugins'),
  })
  const names = loaded.map(({ plugin }) => plugin.name)
  const stray = Object.keys(config.options).find(name => !names.includes(name))
  if (stray !== undefined) throw new ConfigError(`${stray}: there is no such setting, and no plugin in the pipeline is called "${stray}"`)
  return setUpPlugins(loaded, gateway)
}

/** One that fails to close does not keep the others open. */
async function closeBackend({ name }: Backend, { log }: House, close: () => Promise<void> | undefined): Promise<void> {
  try {
    await close()
  } catch (err) {
    log.error({ backend: name, err }, 'backend failed to close')
  }
}
