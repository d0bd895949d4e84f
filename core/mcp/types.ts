import type {
  CallToolResult,
  GetPromptResult,
  Progress,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplate,
  Tool,
} from '@modelcontextprotocol/sdk/types.js'
import type { Config } from '../config/schema.ts'

export type { CallToolResult, GetPromptResult, Progress, ReadResourceResult } from '@modelcontextprotocol/sdk/types.js'

/** The `mcp:` section. */
export type McpConfig = Config['mcp']

/** One server of it. */
export type McpServerConfig = McpConfig['servers'][number]

/** What servers can list. */
export interface Listed {
  readonly tools: Tool
  readonly resources: Resource
  readonly resourceTemplates: ResourceTemplate
  readonly prompts: Prompt
}

export type ListKind = keyof Listed

/** Something a server lists, and whose it is. */
export type Of<K extends ListKind> = Listed[K] & { readonly server: string }

/**
 * `starting` until its first try is over, then `healthy` or `unhealthy`; who is unhealthy is tried again. `stopped` are those
 * that are switched off.
 */
export type McpState = 'starting' | 'healthy' | 'unhealthy' | 'stopped'

/** How the last looks at a server went. */
export interface McpHealth {
  readonly status: 'healthy' | 'unhealthy' | 'unknown'
  /** Milliseconds since the epoch. */
  readonly lastCheck: number | undefined
  readonly lastSuccess: number | undefined
  readonly lastError: string | undefined
  readonly latencyMs: number | undefined
}

/** The requests at a time of an HTTP server. An idle one is a connection that was used within `connection_idle_time`. */
export interface McpPool {
  readonly total: number
  readonly inUse: number
  readonly idle: number
  readonly maxAllowed: number
}

/** What was asked of a server since it was configured. */
export interface McpStats {
  readonly calls: number
  readonly errors: number
  readonly active: number
  readonly latency: { readonly averageMs: number; readonly lastMs: number; readonly longestMs: number }
  /** Only of HTTP servers. */
  readonly pool: McpPool | undefined
}

/** A server as it says it is. */
export interface McpAbout {
  readonly name: string
  readonly version: string
  readonly protocolVersion: string | undefined
  readonly instructions: string | undefined
  /** The names of what it can do: `tools`, `resources`, `prompts`, `logging` … */
  readonly capabilities: readonly string[]
}

/** A server for those who look on. */
export interface McpServerRow {
  readonly name: string
  readonly transport: McpServerConfig['transport']
  readonly state: McpState
  /** Milliseconds since the epoch, when it came into this state. */
  readonly since: number
  /** Why it is unhealthy, or was the last time. Without secrets. */
  readonly lastError: string | undefined
  readonly about: McpAbout | undefined
  readonly counts: Readonly<Record<ListKind, number>>
  readonly health: McpHealth
  readonly stats: McpStats
}

/** What has changed, and at which server. */
export interface McpChange {
  readonly server: string
  readonly what: 'state' | ListKind
}

/** What every request to a server may have. */
export interface McpRequest {
  readonly server: string
  /** Aborts the request, there too. */
  readonly signal?: AbortSignal | undefined
  /** The server's own `timeout` counts, too: the shorter one ends the request. */
  readonly timeoutMs?: number | undefined
  /** Sent along as `X-Request-ID` to HTTP servers. */
  readonly requestId?: string | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

export interface McpCall extends McpRequest {
  readonly tool: string
  readonly args?: Readonly<Record<string, unknown>> | undefined
}

export interface McpRead extends McpRequest {
  readonly uri: string
}

export interface McpPromptRequest extends McpRequest {
  readonly prompt: string
  readonly args?: Readonly<Record<string, string>> | undefined
}

/** How a refresh went; without errors all lists are new. Each error begins with the name of its list. */
export interface McpRefresh {
  readonly server: string
  readonly errors: readonly string[]
}

/** All MCP servers of the config. */
export interface McpServers {
  /** Takes over a config: starts, changes and stops only those servers whose own part has changed. Waits for nothing. */
  configure(config: McpConfig): void
  servers(): readonly McpServerRow[]
  server(name: string): McpServerRow | undefined
  /** What servers have listed, in the order of the config and of the servers. The same array until something changes. */
  tools(): readonly Of<'tools'>[]
  resources(): readonly Of<'resources'>[]
  resourceTemplates(): readonly Of<'resourceTemplates'>[]
  prompts(): readonly Of<'prompts'>[]
  /** Calls a tool. A tool that fails says so in its result; whatever else fails is an McpFailure, or the reason of the signal. */
  call(call: McpCall): Promise<CallToolResult>
  readResource(read: McpRead): Promise<ReadResourceResult>
  getPrompt(request: McpPromptRequest): Promise<GetPromptResult>
  /** Asks a server, or all of them, for their lists anew. Rejects when there is no such server. */
  refresh(server?: string): Promise<readonly McpRefresh[]>
  /** Looks at a server now. */
  check(server: string): Promise<McpHealth>
  /** Hears of every change; gives back how to hear no more. */
  onChange(listener: (change: McpChange) => void): () => void
  /** Ends all servers at the same time; within the grace time, and a moment. */
  close(graceMs: number): Promise<void>
}
