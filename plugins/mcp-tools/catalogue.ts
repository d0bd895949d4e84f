import { createHash } from 'node:crypto'
import { isObject, type JsonObject } from './json.ts'
import { documentedName, seenName } from './names.ts'
import type { HouseTool, ToolHouse } from './tool-house.ts'

/** A tool under both of its names. */
export interface KnownTool extends HouseTool {
  /** `mcp.<server>.<tool>` */
  readonly documented: string
  /** What models call it. */
  readonly seen: string
  /** As it stands in `tools` of a request. */
  readonly definition: JsonObject
  /** Another one when the definition is another. */
  readonly digest: string
}

/** Tools by their names, always in the same order. */
export interface Catalogue {
  readonly tools: readonly KnownTool[]
  /** By either name. */
  find(name: string): KnownTool | undefined
}

/** All tools of the house, ordered by documented name. Of two with the same name on the same server the first counts. */
export function createCatalogue(tools: readonly HouseTool[]): Catalogue {
  const unique = new Map<string, HouseTool>()
  for (const tool of tools) {
    const documented = documentedName(tool.server, tool.name)
    if (!unique.has(documented)) unique.set(documented, tool)
  }
  const ordered = [...unique].sort(([one], [other]) => (one < other ? -1 : 1))
  const taken = new Set<string>()
  const names = new Map<HouseTool, string>()
  // the plain names first: they are nobody else's, whatever the hashes of others look like
  for (const plain of [true, false]) {
    for (const [, tool] of ordered) {
      let seen = seenName(tool.server, tool.name)
      if (plain !== (seen === `mcp__${tool.server}__${tool.name}`)) continue
      for (let digits = 12; taken.has(seen); digits += 4) seen = seenName(tool.server, tool.name, digits)
      taken.add(seen)
      names.set(tool, seen)
    }
  }
  return collect(ordered.map(([documented, tool]) => know(tool, documented, names.get(tool) as string)))
}

/** A catalogue of some tools of another one. */
export function collect(tools: readonly KnownTool[]): Catalogue {
  const byName = new Map<string, KnownTool>()
  for (const tool of tools) byName.set(tool.documented, tool)
  for (const tool of tools) byName.set(tool.seen, tool)
  return { tools, find: name => byName.get(name) }
}

/** The catalogue of a house, made anew when its tools have changed. */
export function followHouse({ tools }: Pick<ToolHouse, 'tools'>): () => Catalogue {
  let listed: readonly HouseTool[] = []
  let catalogue = createCatalogue(listed)
  return () => {
    const now = tools()
    if (now !== listed) {
      catalogue = createCatalogue(now)
      listed = now
    }
    return catalogue
  }
}

function know(tool: HouseTool, documented: string, seen: string): KnownTool {
  const { description } = tool
  const definition = {
    type: 'function',
    function: { name: seen, ...(description && { description }), parameters: parametersOf(tool.inputSchema) },
  }
  const digest = createHash('sha256').update(JSON.stringify(definition)).digest('hex').slice(0, 16)
  return { ...tool, documented, seen, definition, digest }
}

/** Some model servers insist on `type` and `properties`, and none has a use for `$schema`. */
function parametersOf(schema: unknown): JsonObject {
  const { $schema: _, ...given } = isObject(schema) ? schema : {}
  return { ...given, type: 'object', properties: isObject(given.properties) ? given.properties : {} }
}
