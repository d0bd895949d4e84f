import { type Context, invalidRequest, type Payload } from 'gatehouse'
import { type Catalogue, collect, type KnownTool } from './catalogue.ts'
import { type ClientTools, readClientTools } from './client-tools.ts'
import { compileGlobs, type Matcher } from './glob.ts'
import type { Granted } from './grants.ts'
import type { ToolSettings } from './settings.ts'
import { nameIn, readToolChoice } from './tool-choice.ts'

/** What a request is given, besides what its client sent. */
export interface Offer {
  /** The tools of servers that its model may call; at least one. */
  readonly tools: Catalogue
  readonly client: ClientTools
  /** `tools` and `tool_choice` for the first turn. */
  readonly first: Partial<Payload>
  /** `tool_choice` once a tool has run: a model that must call one would never come to an end. */
  readonly later: Partial<Payload>
}

/** How a request differs from what backends understand, or from what its client sent. */
export interface Reading {
  readonly offer: Offer | undefined
  /** What must be changed even when nothing is offered. */
  readonly change: Partial<Payload> | undefined
}

const nothing: Reading = { offer: undefined, change: undefined }

/** Reads which tools of servers a request gets. Throws a 400 for tools that it names and that are not there. */
export function readOffer(
  { payload, request }: Pick<Context, 'payload' | 'request'>,
  granted: Granted,
  inject: ToolSettings['inject'],
): Reading {
  const given = payload.tools
  const names = Array.isArray(given) && given.length > 0
  if (granted.tools.length === 0 && !names) return nothing
  const usable = inject === 'never' ? noTools : granted
  const client = readClientTools(names ? given : [], usable)
  const tools = select(client, usable, request.headers.get('x-mcp-tools'), payload, inject)
  if (tools.length === 0) return client.references.length === 0 ? nothing : { offer: undefined, change: withoutTools(client, payload) }
  const all = tools === usable.tools ? usable : collect(tools)
  const choice = readToolChoice(payload.tool_choice, all, client)
  const offered = choice.only ? collect(tools.filter(({ seen }) => choice.only?.has(seen))) : all
  if (offered.tools.length === 0) return { offer: undefined, change: withoutTools(client, payload) }
  const definitions = [...client.own, ...offered.tools.map(({ definition }) => definition)]
  const first: Partial<Payload> = { tools: definitions, ...(choice.changed && { tool_choice: choice.first }) }
  const offer: Offer = { tools: offered, client, first, later: choice.later === undefined ? {} : { tool_choice: choice.later } }
  return { offer, change: undefined }
}

const noTools: Catalogue = collect([])

/** The request as its backend gets it when no tools of servers are offered. */
export function withoutTools({ own }: ClientTools, { tool_choice: choice }: Readonly<Payload>): Partial<Payload> {
  if (own.length > 0) return { tools: own }
  // a choice among nothing is an error for most servers
  return { tools: undefined, ...(choice !== undefined && { tool_choice: undefined }) } as unknown as Partial<Payload>
}

function select(client: ClientTools, usable: Catalogue, header: string | null, payload: Readonly<Payload>, inject: ToolSettings['inject']) {
  if (payload.tool_choice === 'none' || header?.trim().toLowerCase() === 'none') return []
  const several = typeof payload.n === 'number' && payload.n > 1
  const legacy = Array.isArray(payload.functions) && payload.functions.length > 0
  if (several || legacy) {
    if (client.references.length > 0)
      throw invalidRequest('Tools of MCP servers need n: 1 and no functions.', 'tools_not_possible', 'tools')
    return []
  }
  const isNamed = header === null ? undefined : readHeader(header)
  if (!isNamed && inject === 'auto' && !usable.tools.some(({ seen }) => client.names.has(seen))) return usable.tools
  const references = new Set(client.references)
  const isOffered = (tool: KnownTool) =>
    references.has(tool) || (isNamed ? isNamed(tool.documented) || isNamed(tool.seen) : inject === 'auto')
  return usable.tools.filter(tool => !client.names.has(tool.seen) && isOffered(tool))
}

/** `mcp.files.*, mcp.web.search` */
function readHeader(header: string): Matcher {
  try {
    return compileGlobs(splitPatterns(header))
  } catch (error) {
    throw invalidRequest(`X-MCP-Tools: ${(error as Error).message}`, 'invalid_mcp_tools')
  }
}

/** At commas and spaces, but not inside of braces. */
const splitPatterns = (header: string): readonly string[] =>
  header.match(/(?:\{[^}]*\}|[^\s,{])+/g) ?? (header.trim() === '' ? [] : [header])

/** The messages with our tools under the names that models know; the same list when there was nothing to do. */
export function withSeenNames(messages: Payload['messages'], tools: Catalogue): Payload['messages'] {
  if (!Array.isArray(messages)) return messages
  let changed: unknown[] | undefined
  for (let at = 0; at < messages.length; at++) {
    const calls: unknown = messages[at]?.tool_calls
    if (!Array.isArray(calls) || !calls.some(isDocumented)) continue
    changed ??= [...messages]
    changed[at] = { ...messages[at], tool_calls: calls.map(call => (isDocumented(call) ? nameIn(call, tools) : call)) }
  }
  return (changed as Payload['messages']) ?? messages
}

const isDocumented = (call: unknown): boolean => {
  const name = (call as { function?: { name?: unknown } | null } | null)?.function?.name
  return typeof name === 'string' && name.startsWith('mcp.')
}
