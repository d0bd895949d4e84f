/**
 * Why a request to an MCP server failed: there is no such server (`unknown`); it is not there (`unavailable`); it took too long
 * (`timeout`); it, or its connection, went away meanwhile (`gone`); it said no (`refused`); what it said was no answer (`broken`).
 */
export type McpReason = 'unknown' | 'unavailable' | 'timeout' | 'gone' | 'refused' | 'broken'

/** A request to an MCP server that failed. The message has no secrets and may be shown to a model. */
export class McpFailure extends Error {
  override readonly name = 'McpFailure'
  constructor(
    readonly reason: McpReason,
    message: string,
    /** `code` is that of the server's JSON-RPC error. `neverReached`: the server cannot have begun to work on it. */
    readonly extra: { readonly code?: number; readonly neverReached?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: extra.cause })
  }
}
