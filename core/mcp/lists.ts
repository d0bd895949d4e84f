import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import {
  ErrorCode,
  PromptSchema,
  ResourceSchema,
  ResourceTemplateSchema,
  ResultSchema,
  ToolSchema,
} from '@modelcontextprotocol/sdk/types.js'
import type { SdkOptions } from './ask.ts'
import { McpFailure } from './mcp-failure.ts'
import type { Listed, ListKind } from './types.ts'

/** A server that lists more than this does not mean it. */
const mostPages = 1_000
const mostItems = 20_000

type Page = Readonly<Record<string, unknown>>

const kinds = {
  tools: { method: 'tools/list', capability: 'tools', schema: ToolSchema },
  resources: { method: 'resources/list', capability: 'resources', schema: ResourceSchema },
  resourceTemplates: { method: 'resources/templates/list', capability: 'resources', schema: ResourceTemplateSchema },
  prompts: { method: 'prompts/list', capability: 'prompts', schema: PromptSchema },
} as const

export interface ListOptions {
  /** Runs the request for one page. */
  readonly ask: (work: (options: SdkOptions) => Promise<Page>) => Promise<Page>
  /** An entry that is none of its kind; it is left out, and the others stay. */
  readonly onInvalid: (entry: unknown) => void
}

/** All pages of a list. A server that does not say that it has such things has none. */
export async function listAll<K extends ListKind>(client: Client, kind: K, options: ListOptions): Promise<readonly Listed[K][]> {
  const { method, capability, schema } = kinds[kind]
  if (!client.getServerCapabilities()?.[capability]) return []
  const found: Listed[K][] = []
  const seen = new Set<string>()
  for (let cursor: string | undefined; ; ) {
    const page = await askPage(client, method, cursor, options)
    if (page === undefined) return found
    const entries = page[kind]
    if (!Array.isArray(entries)) throw new McpFailure('broken', `the server answered ${method} without a list`)
    for (const entry of entries) {
      const parsed = schema.safeParse(entry)
      if (!parsed.success) options.onInvalid(entry)
      else if (!needsTask(parsed.data)) found.push(parsed.data as Listed[K])
    }
    const next = page.nextCursor
    if (typeof next !== 'string') return found
    if (seen.has(next) || seen.size >= mostPages || found.length > mostItems) {
      throw new McpFailure('broken', `the server's answers to ${method} have no end`)
    }
    seen.add(next)
    cursor = next
  }
}

/** A tool that only works as a task (an experiment of the protocol) would refuse every call of ours. */
const needsTask = (entry: object): boolean =>
  (entry as { readonly execution?: { readonly taskSupport?: string } }).execution?.taskSupport === 'required'

/** Undefined when a server has resources but knows no templates: it need not. */
async function askPage(client: Client, method: string, cursor: string | undefined, { ask }: ListOptions): Promise<Page | undefined> {
  const request = { method, ...(cursor !== undefined && { params: { cursor } }) }
  try {
    return await ask(options => client.request(request as never, ResultSchema, options))
  } catch (error) {
    if (method === kinds.resourceTemplates.method && error instanceof McpFailure && error.extra.code === ErrorCode.MethodNotFound) return
    throw error
  }
}
