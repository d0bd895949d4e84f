import type { Principal } from 'gatehouse'
import type { KnownTool } from './catalogue.ts'
import type { Grants } from './grants.ts'
import type { JsonObject } from './json.ts'
import { limited } from './limited.ts'
import type { CheckArguments } from './schema.ts'
import type { ToolHouse, ToolProgress, ToolResult } from './tool-house.ts'

/** One call, from wherever it comes. */
export interface GuardedCall {
  readonly tool: KnownTool
  readonly args: Readonly<JsonObject>
  readonly principal: Principal
  readonly requestId: string
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly onProgress?: (progress: ToolProgress) => void
}

/** Why a tool was not called, or gave nothing. The message is meant for whoever wanted the call. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure'
  constructor(
    readonly why: 'denied' | 'arguments' | 'failed',
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause })
  }
}

/**
 * Calls a tool behind the guard that every way to a tool has: who may use it, arguments that fit its schema, and a time within
 * which it is over. Rejects with a ToolFailure, or with the reason of the signal.
 */
export type RunTool = (call: GuardedCall) => Promise<ToolResult>

/** Opens it. */
export function createRunTool(house: Pick<ToolHouse, 'call'>, grants: Pick<Grants, 'refusal'>, check: CheckArguments): RunTool {
  return async ({ tool, args, principal, requestId, signal, timeoutMs, onProgress }) => {
    const { server, name } = tool
    const refusal = grants.refusal(tool.documented, principal)
    if (refusal) throw new ToolFailure('denied', refusal)
    const complaint = check(tool.inputSchema, args)
    if (complaint) throw new ToolFailure('arguments', `invalid tool arguments (server=${server}, tool=${name}): ${complaint}`)
    const call = (signal: AbortSignal) =>
      house.call({ server, tool: name, args, requestId, signal, timeoutMs, ...(onProgress && { onProgress }) })
    try {
      return await limited(call, timeoutMs, signal)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      const message = error instanceof Error ? error.message : 'unknown error'
      throw new ToolFailure('failed', `tool execution failed (server=${server}, tool=${name}): ${message}`, error)
    }
  }
}
