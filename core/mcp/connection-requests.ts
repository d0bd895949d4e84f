import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import {
  CallToolResultSchema,
  EmptyResultSchema,
  GetPromptResultSchema,
  ReadResourceResultSchema,
} from '@modelcontextprotocol/sdk/types.js'
import type { Ask } from './ask.ts'
import type { Limits } from './limits.ts'
import { listAll } from './lists.ts'
import { McpFailure } from './mcp-failure.ts'
import type { CallToolResult, GetPromptResult, Listed, ListKind, ReadResourceResult } from './types.ts'

type Arguments = Readonly<Record<string, unknown>> | undefined

/** What can be asked of a server. Whatever fails is an McpFailure, or the reason of the signal. */
export interface ConnectionRequests {
  list<K extends ListKind>(kind: K, limits: Limits): Promise<readonly Listed[K][]>
  call(tool: string, args: Arguments, limits: Limits): Promise<CallToolResult>
  read(uri: string, limits: Limits): Promise<ReadResourceResult>
  prompt(name: string, args: Arguments, limits: Limits): Promise<GetPromptResult>
  /** Resolves when it answers, even with an error. */
  ping(limits: Limits): Promise<void>
}

/** The requests to a server that has been greeted. `tell` writes to the log. */
export function requestsOn(client: Client, ask: Ask, tell: (level: 'warn', message: string) => void): ConnectionRequests {
  return {
    list: (kind, limits) =>
      listAll(client, kind, {
        ask: work => ask(limits, work),
        onInvalid: () => tell('warn', `lists something among its ${kind} that is not valid; it is left out`),
      }),
    call: (name, args, limits) =>
      ask(limits, sdk => client.request({ method: 'tools/call', params: { name, arguments: { ...args } } }, CallToolResultSchema, sdk)),
    read: (uri, limits) => ask(limits, sdk => client.request({ method: 'resources/read', params: { uri } }, ReadResourceResultSchema, sdk)),
    prompt: (name, args, limits) =>
      ask(limits, sdk =>
        client.request(
          { method: 'prompts/get', params: { name, arguments: { ...args } as Record<string, string> } },
          GetPromptResultSchema,
          sdk,
        ),
      ),
    async ping(limits) {
      try {
        await ask(limits, sdk => client.request({ method: 'ping' }, EmptyResultSchema, sdk))
      } catch (error) {
        // a server that knows no ping has answered all the same
        if (!(error instanceof McpFailure && ['refused', 'broken'].includes(error.reason))) throw error
      }
    },
  }
}
