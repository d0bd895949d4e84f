import type { Accounts } from './accounts.ts'
import { createBackendPool } from './backend-pool.ts'
import type { Config } from './config/schema.ts'
import type { RunReport } from './data-folder/starts.ts'
import { GatewayError } from './errors.ts'
import { createExchanges } from './exchanges.ts'
import type { Gateway, Route } from './gateway.ts'
import { createGeneration, type Generation } from './generation.ts'
import { createShared, type House } from './house.ts'
import type { Listener } from './listen/listener.ts'
import { createListeners } from './listen/listeners.ts'
import { readTlsPair } from './listen/tls-files.ts'
import type { AccessLine, Logger } from './log.ts'
import { openModelServers } from './model-servers.ts'
import type { MaybePromise } from './plugin.ts'
import { closeWithin, type PluginSources } from './plugins.ts'
import { createStorePool, sameRedis } from './store-pool.ts'
import type { Store } from './stores/store.ts'
import { createTellEnd } from './tell-end.ts'
import { within } from './within.ts'
import { createWorkers, type WorkerLimits } from './workers.ts'

export interface ServeOptions {
  readonly config: Config
  /** The config file, when there is one: relative plugin paths count from its folder. */
  readonly configFile?: string | undefined
  readonly log: Logger
  /** Where the line of each request goes. */
  readonly access: (line: AccessLine) => void
  /** Opened with the same config; closed with the gateway, or when it cannot start. */
  readonly accounts: Accounts
  /** Opens what several instances share, for a config that wants it elsewhere than the start did. */
  readonly openStore: (settings: Config['redis']) => MaybePromise<Store>
  readonly plugins: Pick<PluginSources, 'builtIn' | 'reserved' | 'alwaysOn'>
  /** Routes beside those of the plugins. */
  readonly routes?: readonly Route[]
  /** What model processes may see of the environment is taken from it. */
  readonly env?: NodeJS.ProcessEnv
  /** The command that starts the shim of a process; by default it is ourselves. */
  readonly runner?: readonly string[] | undefined
  /** How the runs of this gatehouse ended, for `/health`. */
  readonly runs?: () => RunReport
}

/** A gateway that listens. */
export interface Serving {
  readonly listeners: readonly Listener[]
  readonly gateway: Gateway
  /**
   * Serves by another config from now on. Requests in flight finish on the old pipeline; its plugins are closed
   * after the last of them. Answers false when there was nothing to change. Throws when that config cannot be served,
   * and then nothing has changed.
   */
  reload(config: Config, configFile: string | undefined): Promise<boolean>
  /**
   * Takes no new requests, lets those in flight end for at most `graceMs`, then ends the rest with an error
   * their clients can read, and closes everything. Calling it twice is one stop.
   */
  stop(graceMs: number): Promise<void>
}

const stoppingError = () =>
  new GatewayError(503, 'service_unavailable', 'stopping', 'gatehouse is stopping.', { headers: { 'retry-after': '5' } })

const redisMoved =
  'redis: rate limits are counted there from now on; keys, quotas and numbers of concurrent requests follow with the next start'

/** After the deadline, time for model processes to end by themselves. */
const processGraceMs = 2_000

/** After the deadline, time for the last error events to reach slow clients. */
const lastWordsMs = 250

/** Start: TLS files → backends → plugins in pipeline order → link → listen. Any throw ends the start with its reason. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { config, configFile, log, access, accounts, openStore, plugins, routes = [], runs, env = process.env, runner } = options
  let stopping = false
  let { workers: workerSettings } = config
  const house: House = {
    log,
    accounts,
    stores: createStorePool(settings => (sameRedis(settings, config.redis) ? shared(accounts.store) : openStore(settings))),
    exchanges: createExchanges(),
    backends: createBackendPool(),
    offers: new WeakMap(),
    workers: createWorkers({ log, limits: () => limitsOf(workerSettings) }),
    servers: await openModelServers({ config, log, env, runner }),
    shared: createShared(),
    plugins,
    routes,
    runs,
    stopping: () => stopping,
    onEnd: createTellEnd(log, access, accounts.usage),
  }
  const { exchanges } = house
  const doorOf = async (config: Config) => {
    const tls = await readTlsPair(config.tls)
    for (const warning of tls?.warnings ?? []) log.warn(warning)
    return { host: config.host, port: config.port, tls }
  }

  const door = await doorOf(config)
  let current = await orShut(house, createGeneration(house, config, configFile))
  const listeners = await orShut(
    house,
    orClosed(current, () => createListeners(door, () => current.kernel)),
  )
  const retiring = new Set<Promise<void>>()

  /** Closes an old generation when its last request is over. */
  const retire = (old: Generation) => {
    const closed = old
      .idle()
      .then(old.close)
      .finally(() => retiring.delete(closed))
    retiring.add(closed)
  }

  const shutDown = async (graceMs: number) => {
    stopping = true
    const deadline = performance.now() + graceMs
    const busy = exchanges.size > 0 || exchanges.quietMs() < 2000 // then there may be bytes on their way
    exchanges.cancelAll(stoppingError(), ['reading']) // no model works on them yet
    const sent = listeners.stop()
    if (!(await within(graceMs, exchanges.idle()))) {
      log.warn({ in_flight: exchanges.size }, 'ending the requests that are still in flight')
      exchanges.cancelAll(stoppingError())
      await within(lastWordsMs, exchanges.idle())
    } else log.info('All in-flight requests completed')
    // an exchange is settled when its last bytes are handed to the socket; slow clients still read them
    await within(busy ? Math.max(lastWordsMs, deadline - performance.now()) : lastWordsMs, sent)
    await within(lastWordsMs, Promise.all(retiring))
    const store = await house.stores.take(current.config.redis) // until those who may still write to it are closed
    await house.servers.close(Math.max(processGraceMs, deadline - performance.now()))
    await current.close()
    await closeHouse(house)
    await house.stores.release(store)
    await accounts.close()
    listeners.close()
  }

  let stopped: Promise<void> | undefined
  return {
    get listeners() {
      return listeners.all
    },
    get gateway() {
      return current.gateway
    },
    async reload(config, configFile) {
      const door = await doorOf(config)
      if (stopping) return false
      const previous = current
      if (Bun.deepEquals(config, previous.config)) return listeners.move(door)
      const next = await createGeneration(house, config, configFile)
      if (!sameRedis(config.redis, options.config.redis)) log.warn(redisMoved)
      if (stopping) {
        await next.close()
        return false
      }
      await orClosed(next, () => listeners.move(door))
      const serveModels = await house.servers.prepare(config)
      current = next
      serveModels()
      workerSettings = config.workers
      retire(previous)
      return true
    },
    stop(graceMs) {
      stopped ??= shutDown(graceMs)
      return stopped
    },
  }
}

/** What a step of the start gives; when it throws, nothing of the house stays open. */
async function orShut<T>(house: House, step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    await closeHouse(house)
    await house.accounts.close()
    throw error
  }
}

/** The store of the accounts, which close it themselves. */
const shared = (store: Store): Store => Object.create(store, { close: { value: () => {} } })

const limitsOf = ({ threads, digest_from, tokens_from, budget }: Config['workers']): WorkerLimits => ({
  threads,
  digestFrom: digest_from,
  tokensFrom: tokens_from,
  budgetMs: budget,
})

/** What outlives reloads: what plugins kept, and the threads. */
async function closeHouse({ shared, servers, workers, log }: House): Promise<void> {
  await servers.close(processGraceMs)
  for (const [plugin, value] of shared.entries()) {
    await closeWithin(() => (value as { close?(): MaybePromise<void> }).close?.(), plugin, log)
  }
  await workers.close()
}

/** What `work` gives; when it throws, the generation is closed again. */
async function orClosed<T>(generation: Generation, work: () => T): Promise<T> {
  try {
    return work()
  } catch (error) {
    await generation.close()
    throw error
  }
}
