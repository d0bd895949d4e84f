import type { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { createHttpFetch } from './http-fetch.ts'
import { createHttpTransport } from './http-transport.ts'
import { launchOf } from './launch.ts'
import { createStdioTransport, type StdioTransport } from './stdio-transport.ts'
import type { McpServerConfig } from './types.ts'

export type AnyTransport = StdioTransport | StreamableHTTPClientTransport | SSEClientTransport

export interface TransportOptions {
  readonly server: McpServerConfig
  readonly env: NodeJS.ProcessEnv
  readonly runner: readonly string[] | undefined
  readonly session: () => Bun.FetchSession
  readonly onHeard: () => void
  /** What is for the log only. */
  readonly tell: (level: 'debug' | 'warn', message: string) => void
}

const longestQuote = 200

/** The way to a server, as its config has it. Nothing is started yet. */
export function openTransport({ server, env, runner, session, onHeard, tell }: TransportOptions): AnyTransport {
  if (server.transport !== 'stdio') return createHttpTransport(server, createHttpFetch({ session, onHeard }))
  let complained = false
  return createStdioTransport({
    launch: launchOf(server, env),
    runner,
    onHeard,
    onLine: line => tell('debug', `says: ${line}`),
    onGarbage(line) {
      if (!complained) tell('warn', `writes lines to its stdout that are no messages: ${line.slice(0, longestQuote)}`)
      complained = true
    },
  })
}
