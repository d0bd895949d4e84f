import type { Logger } from '../log.ts'
import { machineClocks } from '../processes/clocks.ts'
import { openLimit } from './limits.ts'
import { createListChanges } from './list-changes.ts'
import { McpFailure } from './mcp-failure.ts'
import { createHealthWatch } from './server-health.ts'
import { createLife } from './server-life.ts'
import { createLists, listKinds, type ServerLists } from './server-lists.ts'
import { createOpen } from './server-open.ts'
import { createRequests, type Requests } from './server-requests.ts'
import { createServerState } from './server-state.ts'
import { createSlots } from './slots.ts'
import { createStats } from './stats.ts'
import { createTicker } from './ticker.ts'
import type { McpTimes } from './times.ts'
import type { ListKind, McpAbout, McpChange, McpConfig, McpHealth, McpRefresh, McpServerConfig, McpServerRow } from './types.ts'

/** One MCP server of the config, for as long as its part does not change. */
export interface McpServer {
  row(): McpServerRow
  readonly list: ServerLists['get']
  readonly use: Requests['use']
  refresh(): Promise<McpRefresh>
  check(): Promise<McpHealth>
  /** What all servers share of the config has changed. */
  settingsChanged(): void
  /** Takes no more requests; those it has get a while to end. Resolves when nothing of it is left. */
  retire(): Promise<void>
  close(graceMs: number): Promise<void>
}

export interface McpServerOptions {
  readonly config: McpServerConfig
  /** As of now; of it, only what all servers share. */
  readonly settings: () => McpConfig
  readonly env: NodeJS.ProcessEnv
  readonly runner: readonly string[] | undefined
  readonly log: Logger
  readonly times: McpTimes
  /** Takes secrets out of a text. */
  readonly hide: (text: string) => string
  /** Its predecessor is gone when this is done. */
  readonly after: Promise<unknown>
  readonly onChange: (change: McpChange) => void
}

/** Starts a server, unless it is switched off, and keeps it there until it is closed. */
export function createServer(options: McpServerOptions): McpServer {
  const { config, settings, log, times, hide, after, onChange } = options
  const { now, steady } = machineClocks
  const { name: server, enabled } = config
  const warn = (message: string) => log.warn({ server }, hide(`MCP server "${server}" ${message}`))
  const limitOf = (outer?: AbortSignal) =>
    openLimit(config.timeout, () => new McpFailure('timeout', `it did not answer within ${config.timeout / 1000} s`), outer)
  let session = newSession(settings())
  let about: McpAbout | undefined

  const stats = createStats(steady)
  const isHttp = config.transport !== 'stdio'
  const slots = isHttp
    ? createSlots({ most: () => settings().connection_pool_size, idleMs: () => settings().connection_idle_time, steady })
    : undefined
  const state = createServerState({ server, enabled, log, now, onChange: () => onChange({ server, what: 'state' }) })
  const lists = createLists({ server, steady, onChange: what => onChange({ server, what }) })
  const changes = createListChanges(times.listGapMs, async kind => {
    const connection = life.connection()
    using limit = limitOf()
    await connection
      ?.list(kind, limit)
      .then(items => lists.put(kind, items))
      .catch(error => warn(`could not be asked for its ${kind}: ${error.message}`))
  })
  const health = createHealthWatch({
    connection: () => life.connection(),
    timeoutMs: () => settings().health_check_timeout,
    longestSilenceMs: config.timeout,
    now,
    steady,
    hide,
    onChange: state.tell,
  })

  const open = createOpen({
    ...options,
    session: () => session,
    steady,
    lists,
    limitOf,
    onListChanged: changes.note,
    onTrouble: () => void health.check(),
    onAbout(said) {
      about = said
    },
  })
  const life = createLife({
    open,
    after: enabled ? after : undefined,
    times,
    steady,
    onChange(why) {
      const error = why === undefined ? undefined : hide(why)
      health.note(error)
      state.tell(error)
    },
  })
  const requests = createRequests({ server, longestMs: config.timeout, life, health, stats, slots, hide })
  const refreshLists = async () => {
    const connection = life.connection()
    using limit = limitOf()
    if (connection) await lists.refresh(connection, limit)
    else if (lists.ageMs() > settings().cache_ttl) lists.forget()
  }
  const tickers = [
    createTicker(() => settings().health_check_interval, health.check),
    createTicker(() => settings().cache_ttl, refreshLists),
  ]
  const close = async (graceMs: number) => {
    changes.stop()
    for (const ticker of tickers) ticker.stop()
    await life.close(graceMs)
    session.close()
  }

  return {
    list: lists.get,
    use: requests.use,
    check: health.check,
    row: () => ({
      name: server,
      transport: config.transport,
      ...state.read(),
      about,
      counts: Object.fromEntries(listKinds.map(kind => [kind, lists.get(kind).length])) as Record<ListKind, number>,
      health: health.read(),
      stats: { ...stats.read(), pool: slots?.row() },
    }),
    async refresh() {
      using limit = limitOf()
      try {
        const errors = await lists.refresh(await life.ready(limit.signal), limit)
        return { server, errors: errors.map(hide) }
      } catch (error) {
        return { server, errors: listKinds.map(kind => hide(`${kind}: ${(error as Error).message}`)) }
      }
    },
    settingsChanged() {
      session.close() // what it is used for goes on
      session = newSession(settings())
      slots?.look()
      for (const ticker of tickers) ticker.reset()
    },
    async retire() {
      life.refuse()
      await requests.drained(times.drainMs)
      await close(times.graceMs)
    },
    close,
  }
}

/** The connections to one server. */
const newSession = ({ connection_pool_size: most, connection_idle_time: idleMs }: McpConfig) =>
  new Bun.FetchSession({ keepAlive: { maxIdleSockets: most, idleTimeout: Math.ceil(idleMs / 1000) } })
