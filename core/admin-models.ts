import { placeBackends } from './admin-models/place-backends.ts'
import type { BackendPool } from './backend-pool.ts'
import type { Backend } from './backends/backend.ts'
import type { Logger } from './log.ts'
import type { ModelRecord, ModelRecords } from './records/models.ts'

/** The models made through the admin API, as requests see them. */
export interface AdminModels {
  /** The model a name means; as with Ollama, a name without a tag means `:latest` too. */
  find(name: string): ModelRecord | undefined
  /** All of them, by id. */
  all(): Iterable<ModelRecord>
  /** Reads them for the first time; from then on they follow every change. */
  start(): Promise<void>
  /** Resolves when the changes made until now are in force. */
  settled(): Promise<void>
  /** Says in the log which of them name a backend that nobody configured: once, and again when there are others. */
  tellStrays(): void
  close(): Promise<void>
}

export interface AdminModelsOptions {
  readonly records: ModelRecords
  /** Where their backends are put while they are enabled. Those of the config and of plugins are in it too. */
  readonly backends: Map<string, Backend>
  readonly pool: BackendPool
  readonly log: Logger
  /** How long after they could not be read they are asked for once more. */
  readonly retryMs?: number
}

/** None known yet. */
export function createAdminModels({ records, backends, pool, log, retryMs = 1000 }: AdminModelsOptions): AdminModels {
  const places = placeBackends(backends, pool, log)
  let byName: ReadonlyMap<string, ModelRecord> = new Map()
  let reading: Promise<void> | undefined
  let stale = false
  let closed = false
  let told = ''
  let retry: Timer | undefined

  const read = async () => {
    const rows = (await Array.fromAsync(records.all())).flat()
    if (closed) return
    byName = new Map(rows.map(row => [row.name, row]))
    places.settle(rows)
  }
  /** Whatever changed meanwhile is read as well before anybody is told that it is in force. */
  const readAgain = async () => {
    try {
      await new Promise(setImmediate) // a sync makes a thousand models in one turn
      while (stale && !closed) {
        stale = false
        await read()
      }
      tellStrays()
    } catch (err) {
      if (closed) return
      log.warn({ err }, 'the models of the database could not be read again; those known until now stay')
      retry = setTimeout(follow, retryMs).unref()
    } finally {
      reading = undefined
    }
  }
  const follow = () => {
    stale = true
    clearTimeout(retry)
    reading ??= readAgain()
  }
  const tellStrays = () => {
    const strays = [...byName.values()].filter(({ enabled, baseUrl, backend }) => enabled && baseUrl === null && !backends.has(backend))
    const names = strays.map(({ name }) => name)
    if (String(names) !== told && names.length > 0) {
      log.warn({ models: names.slice(0, 20) }, `${names.length} models of the database name a backend that nobody configured`)
    }
    told = String(names)
  }
  let stop = () => {}

  return {
    find: name => byName.get(name) ?? (name.includes(':') ? undefined : byName.get(`${name}:latest`)),
    all: () => byName.values(),
    async start() {
      stop = records.onChange(follow)
      reading = Promise.resolve() // a change that comes meanwhile only says so
      do {
        stale = false
        await read()
      } while (stale)
      reading = undefined
    },
    settled: () => reading ?? Promise.resolve(),
    tellStrays,
    async close() {
      closed = true
      stop()
      clearTimeout(retry)
      await places.close()
    },
  }
}
