import type { Catalogue } from './catalogue.ts'
import { type ClientTools, nameOf, notThere } from './client-tools.ts'
import { isObject, type JsonObject, objectsIn } from './json.ts'
import { readDocumentedName, seenName } from './names.ts'

/** `tool_choice` of a request, with our tools under the names that models know. */
export interface ToolChoice {
  readonly first: unknown
  readonly changed: boolean
  /** For the turns after a tool has run; undefined when it may stay as it is. */
  readonly later: unknown
  /** The names it leaves to choose from; undefined for all. */
  readonly only: ReadonlySet<string> | undefined
}

/** Reads it. Throws a 400 when it names a tool of ours that is not offered. */
export function readToolChoice(given: unknown, tools: Catalogue, client: Pick<ClientTools, 'names'>): ToolChoice {
  const asIs = { first: given, changed: false, later: undefined, only: undefined }
  if (given === 'required') return { ...asIs, later: 'auto' }
  if (!isObject(given)) return asIs
  if (given.type === 'allowed_tools' && isObject(given.allowed_tools)) return readAllowed(given, given.allowed_tools, tools, client)
  if (nameOf(given) === undefined) return asIs
  return { ...asIs, first: translate(given, tools, client), changed: true, later: 'auto' }
}

function readAllowed(given: JsonObject, allowed: JsonObject, tools: Catalogue, client: Pick<ClientTools, 'names'>): ToolChoice {
  const listed = objectsIn(allowed.tools).map(entry => translate(entry, tools, client))
  const choice = (mode: unknown) => ({ ...given, allowed_tools: { ...allowed, mode, tools: listed } })
  return {
    first: choice(allowed.mode),
    changed: true,
    later: choice('auto'),
    only: new Set(listed.flatMap(entry => nameOf(entry) ?? [])),
  }
}

function translate(entry: JsonObject, tools: Catalogue, { names }: Pick<ClientTools, 'names'>): JsonObject {
  const name = nameOf(entry)
  if (name === undefined || names.has(name)) return entry
  if (name.startsWith('mcp.') && !tools.find(name)) throw notThere(name, 'tool_choice')
  return nameIn(entry, tools) as JsonObject
}

/** The same call or choice with the name that models know, also for a tool that is no longer there. */
export function nameIn(entry: unknown, tools: Catalogue): unknown {
  const name = nameOf(entry)
  if (name === undefined || !isObject(entry)) return entry
  const parts = readDocumentedName(name)
  const seen = tools.find(name)?.seen ?? (parts && seenName(parts.server, parts.tool))
  return seen === undefined ? entry : { ...entry, function: { ...(entry.function as JsonObject), name: seen } }
}
