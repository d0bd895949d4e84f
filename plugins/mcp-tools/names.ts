import { createHash } from 'node:crypto'

/** How a tool is called in the config, in logs and in the documentation. */
export const documentedName = (server: string, tool: string): string => `mcp.${server}.${tool}`

/** The parts of a documented name; undefined for what is none. Servers have no dots in their names, tools may. */
export function readDocumentedName(name: string): { readonly server: string; readonly tool: string } | undefined {
  const [, server, tool] = /^mcp\.([A-Za-z0-9_-]+)\.(.+)$/s.exec(name) ?? []
  return server !== undefined && tool !== undefined ? { server, tool } : undefined
}

/** What begins so is a name of ours, in one form or the other. */
export const ownPrefixes: readonly string[] = ['mcp__', 'mcp.']

/** OpenAI's rule. */
const longest = 64
/** Of a server's name in a name that had to be cut, so that something of the tool's stays. */
const longestServer = 24

/**
 * The name that models get, which is all that OpenAI's rule `^[A-Za-z0-9_-]{1,64}$` allows. It depends on nothing but server and
 * tool: `mcp__files__read` where that is allowed and cannot mean anything else, otherwise it is cut, and a part of a hash tells it
 * from others. `digits` of the hash, at least 8 where there is one.
 */
export function seenName(server: string, tool: string, digits = 0): string {
  const plain = `mcp__${server}__${tool}`
  if (digits === 0 && plain.length <= longest && /^[A-Za-z0-9_-]+$/.test(plain) && isUnmistakable(server)) return plain
  const hash = createHash('sha256').update(documentedName(server, tool)).digest('hex').slice(0, Math.max(digits, 8))
  const readable = `mcp__${server.slice(0, longestServer)}__${tool.replace(/[^A-Za-z0-9_-]+/g, '_')}`
  return `${readable.slice(0, longest - 1 - hash.length)}_${hash}`
}

/** In `mcp__a__b__c`, `a` is the server: one called `a__b`, or `a_`, would be mistaken for it. */
const isUnmistakable = (server: string) => !server.includes('__') && !server.endsWith('_')
