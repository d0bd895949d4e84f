import { join } from 'node:path'
import type { Logger } from '../../log.ts'
import { runner } from '../../processes/testing/alive.ts'
import { createMcpServers } from '../servers.ts'
import type { McpTimes } from '../times.ts'
import type { McpConfig, McpServerConfig, McpServers } from '../types.ts'

/** The part of a server's config that matters to a test. */
export type ServerPart = Partial<McpServerConfig> & { readonly name: string }

/** MCP servers under test, with what they logged. */
export interface Opened extends McpServers, AsyncDisposable {
  readonly lines: string[]
  /** Resolves when it is so. Looked at on each change, and now and then. */
  until(what: string, isSo: () => boolean): Promise<void>
  /** Resolves when a server is in a state. */
  stateOf(server: string, state: string): Promise<void>
  text(server: string, tool: string, args?: Record<string, unknown>, rest?: { readonly timeoutMs?: number }): Promise<string>
}

/** A config as the schema would give it. */
export const mcpConfig = (servers: readonly ServerPart[], shared: Partial<McpConfig> = {}): McpConfig =>
  ({
    enabled: true,
    inject: 'auto',
    connection_pool_size: 10,
    connection_idle_time: 300_000,
    health_check_interval: 60_000,
    health_check_timeout: 5_000,
    cache_ttl: 300_000,
    ...shared,
    servers: servers.map(server => ({ enabled: true, transport: 'stdio', args: [], env: {}, headers: {}, timeout: 20_000, ...server })),
  }) as unknown as McpConfig

/** The fake server as a child. */
export const fakeChild = (name: string, mode = 'well', rest: Partial<McpServerConfig> = {}): ServerPart => ({
  name,
  command: process.execPath,
  args: [join(import.meta.dir, 'stdio-server.ts'), mode],
  ...rest,
})

const quick: Partial<McpTimes> = { firstPauseMs: 50, longestPauseMs: 400, graceMs: 500, listGapMs: 20 }

/** Opens them, without any server yet unless some are given. */
export function openServers(servers: readonly ServerPart[] = [], shared: Partial<McpConfig> = {}, times: Partial<McpTimes> = {}): Opened {
  const lines: string[] = []
  const note =
    (level: string) =>
    (...args: unknown[]) =>
      void lines.push(`${level} ${args.at(-1)}`)
  const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') } as unknown as Logger
  const mcp = createMcpServers({ log, env: process.env, ...runner, times: { ...quick, ...times } })
  if (servers.length > 0) mcp.configure(mcpConfig(servers, shared))

  const until: Opened['until'] = (what, isSo) =>
    new Promise((resolve, reject) => {
      const look = () => isSo() && end(resolve)
      const stop = mcp.onChange(look)
      const often = setInterval(look, 20)
      const late = setTimeout(
        () => end(() => reject(new Error(`never so: ${what}; ${JSON.stringify(mcp.servers())} ${lines.join('\n')}`))),
        15_000,
      )
      const end = (settle: () => void) => {
        stop()
        clearInterval(often)
        clearTimeout(late)
        settle()
      }
      look()
    })
  return {
    ...mcp,
    lines,
    until,
    stateOf: (server, state) => until(`${server} is ${state}`, () => mcp.server(server)?.state === state),
    async text(server, tool, args = {}, rest = {}) {
      const { content } = await mcp.call({ server, tool, args, ...rest })
      return content.map(part => (part.type === 'text' ? part.text : `(${part.type})`)).join('')
    },
    [Symbol.asyncDispose]: () => mcp.close(1_000),
  }
}

/** The reason and the words of a request that fails. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    const { reason, message } = error as { readonly reason?: string; readonly message: string }
    return reason === undefined ? message : `${reason}: ${message}`
  }
  throw new Error('it did not fail')
}
