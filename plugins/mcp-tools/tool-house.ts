import type { JsonObject } from './json.ts'

/** A tool as its server lists it. */
export interface HouseTool {
  readonly server: string
  readonly name: string
  readonly description?: string | undefined
  readonly inputSchema?: unknown
}

/** One call of a tool. */
export interface ToolRequest {
  readonly server: string
  readonly tool: string
  readonly args: Readonly<JsonObject>
  /** Of the client's request, for servers that are told it. */
  readonly requestId: string
  readonly signal: AbortSignal
  /** The signal aborts then; for servers that are told how long they have. */
  readonly timeoutMs: number
  readonly onProgress?: (progress: ToolProgress) => void
}

/** What a server tells while it works. */
export interface ToolProgress {
  readonly progress: number
  readonly total?: number | undefined
  readonly message?: string | undefined
}

/** One part of a result, as MCP has it: `text`, `image`, `audio`, `resource`, `resource_link`. */
export interface ContentPart {
  readonly type: string
  readonly [field: string]: unknown
}

/** What a tool gave back. */
export interface ToolResult {
  readonly content?: readonly ContentPart[] | undefined
  readonly structuredContent?: unknown
  /** The tool ran and says that it failed. */
  readonly isError?: boolean | undefined
}

/** One content of a resource: a text, or base64. */
export interface ResourceContent {
  readonly uri?: string | undefined
  readonly mimeType?: string | undefined
  readonly text?: string | undefined
  readonly blob?: string | undefined
}

/** The MCP servers, as far as chats need them. */
export interface ToolHouse {
  /** The tools of all servers that are connected; the very same array as long as nothing has changed. */
  tools(): readonly HouseTool[]
  /** Rejects with an Error whose message may be shown to the model when the tool could not be run. */
  call(request: ToolRequest): Promise<ToolResult>
  /** Rejects for servers nobody knows, too. */
  readResource(server: string, uri: string, signal: AbortSignal): Promise<readonly ResourceContent[]>
}
