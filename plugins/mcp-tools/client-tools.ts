import { invalidRequest } from 'gatehouse'
import type { Catalogue, KnownTool } from './catalogue.ts'
import { isObject } from './json.ts'

/** The `tools` of a client. */
export interface ClientTools {
  /** Those it runs itself, as it sent them. */
  readonly own: readonly unknown[]
  /** The names of these. */
  readonly names: ReadonlySet<string>
  /** Tools of servers that it asks for by name. */
  readonly references: readonly KnownTool[]
}

/**
 * Tells the client's tools from references to ours. `mcp.server.tool` always means ours, and is a 400 when there is no such
 * tool; the name that models know means ours when no parameters stand with it. With parameters it is the client's own tool,
 * which goes before ours: it may be an MCP client itself.
 */
export function readClientTools(tools: readonly unknown[], catalogue: Catalogue): ClientTools {
  const own: unknown[] = []
  const names = new Set<string>()
  const references: KnownTool[] = []
  for (const [index, entry] of tools.entries()) {
    const name = nameOf(entry)
    const known = name === undefined ? undefined : catalogue.find(name)
    if (known && (name?.startsWith('mcp.') || isBare(entry))) references.push(known)
    else if (name?.startsWith('mcp.')) throw notThere(name, `tools[${index}]`)
    else {
      own.push(entry)
      if (name !== undefined) names.add(name)
    }
  }
  return { own, names, references }
}

/** The name of a function; other tools have none that could be taken for ours. */
export function nameOf(entry: unknown): string | undefined {
  const given = isObject(entry) && isObject(entry.function) ? entry.function.name : undefined
  return typeof given === 'string' ? given : undefined
}

const isBare = (entry: unknown) => isObject(entry) && isObject(entry.function) && entry.function.parameters === undefined

/** The same words for a tool that is not allowed and one that does not exist. */
export const notThere = (name: string, param: string) => invalidRequest(`The tool '${name}' is not available.`, 'tool_not_available', param)
