import type { Connection, ConnectOptions } from './connection.ts'
import type { Limit } from './limits.ts'
import type { McpServerOptions } from './server.ts'
import type { ServerLists } from './server-lists.ts'
import type { McpAbout } from './types.ts'

export interface OpenOptions
  extends Pick<McpServerOptions, 'config' | 'env' | 'runner' | 'log' | 'times' | 'hide'>,
    Pick<ConnectOptions, 'session' | 'steady' | 'onListChanged' | 'onTrouble'> {
  readonly lists: ServerLists
  /** The server's own limit. */
  readonly limitOf: (outer: AbortSignal) => Limit
  readonly onAbout: (about: McpAbout) => void
}

/** How to bring one server up: connected, greeted, its lists asked for, all within its limit. */
export function createOpen(options: OpenOptions): (closing: AbortSignal) => Promise<Connection> {
  const { config, log, times, hide, lists, limitOf, onAbout, ...rest } = options
  const server = config.name
  const tell: ConnectOptions['tell'] = (level, message) => log[level]({ server }, hide(`MCP server "${server}" ${message}`))

  return async closing => {
    const { connect } = await import('./connection.ts') // and with it the SDK, which a house without MCP does not need
    using limit = limitOf(closing)
    const connection = await connect({ ...rest, server: config, tell }, limit.signal)
    const errors = await lists.refresh(connection, limit)
    if (limit.signal.aborted) {
      await connection.close(times.graceMs)
      throw limit.signal.reason
    }
    for (const error of errors) tell('warn', `could not be asked for its ${error}`)
    onAbout(connection.about)
    return connection
  }
}
