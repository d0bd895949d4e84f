import { createHash } from 'node:crypto'
import type { IndexedKey, Principal } from 'gatehouse'
import { type Catalogue, collect, type KnownTool } from './catalogue.ts'
import { compileGlob, compileGlobs, type Matcher } from './glob.ts'
import type { ToolSettings } from './settings.ts'

/** The tools that one caller may use. */
export interface Granted extends Catalogue {
  /** Another one when the tools, or what models are told of them, are others; empty when there are none. */
  readonly fingerprint: string
}

/** Who may use what. For chats and for every other way to a tool. */
export interface Grants {
  /** What of a catalogue the caller may use. */
  of(catalogue: Catalogue, principal: Principal): Granted
  /** Why the caller may not use the tool of this documented name; undefined when it may. */
  refusal(documented: string, principal: Principal): string | undefined
  /** Whether the caller may read a resource; `uri` is the whole `mcp://server/…`. */
  allowsResource(uri: string, principal: Principal): boolean
}

/** A part of a key that may be there. */
interface Allowed {
  readonly allowedTools?: readonly string[] | undefined
  readonly allowedResources?: readonly string[] | undefined
}

/** The lists of a key, made ready. */
interface Lists {
  readonly name: string
  readonly tools: Matcher
  readonly resources: Matcher
}

/** Throws an Error that names the setting when one of its patterns is none. */
export function createGrants({ allow_tools: allow, deny_tools: deny }: Pick<ToolSettings, 'allow_tools' | 'deny_tools'>): Grants {
  const denied = compileAll('mcp.deny_tools', deny)
  const allowed = allow.length > 0 ? compileAll('mcp.allow_tools', allow) : () => true
  const lists = new WeakMap<IndexedKey, Lists>()
  const made = new WeakMap<Catalogue, Map<string, Granted>>()

  const listsOf = (key: IndexedKey): Lists => {
    const known = lists.get(key)
    if (known) return known
    const { allowedTools = [], allowedResources = [] } = key as Allowed
    const read = { name: JSON.stringify(allowedTools), tools: compileKnown(allowedTools), resources: compileKnown(allowedResources) }
    lists.set(key, read)
    return read
  }
  const refusal = (documented: string, { key }: Principal) => {
    if (denied(documented)) return `tool ${documented} is denied by pattern`
    if (!allowed(documented)) return `tool ${documented} is not in allow list`
    if (key && !listsOf(key).tools(documented)) return `tool ${documented} is not among the allowed_tools of this API key`
  }

  return {
    refusal,
    of(catalogue, principal) {
      const ofCatalogue = made.get(catalogue) ?? new Map<string, Granted>()
      made.set(catalogue, ofCatalogue)
      // keys with the same list share what it grants: there may be many keys, and many tools
      const list = principal.key ? listsOf(principal.key).name : 'all'
      const known = ofCatalogue.get(list)
      if (known) return known
      const tools = catalogue.tools.filter(({ documented }) => refusal(documented, principal) === undefined)
      const granted = { ...collect(tools), fingerprint: fingerprintOf(tools) }
      ofCatalogue.set(list, granted)
      return granted
    },
    allowsResource: (uri, { key }) => !key || listsOf(key).resources(uri),
  }
}

/** What tools add to a request, in a few characters. */
export const fingerprintOf = (tools: readonly KnownTool[]): string =>
  tools.length === 0
    ? ''
    : createHash('sha256')
        .update(tools.map(({ digest }) => digest).join())
        .digest('base64url')

function compileAll(setting: string, patterns: readonly string[]): Matcher {
  try {
    return compileGlobs(patterns)
  } catch (error) {
    throw new Error(`${setting}: ${(error as Error).message}`, { cause: error })
  }
}

/** A key's pattern that is none fits nothing. */
function compileKnown(patterns: readonly string[]): Matcher {
  const matchers = patterns.flatMap(pattern => {
    try {
      return [compileGlob(pattern)]
    } catch {
      return []
    }
  })
  return text => matchers.some(matcher => matcher(text))
}
