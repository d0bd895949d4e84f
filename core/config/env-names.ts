import { type Part, partAt, shapeOf } from './shape.ts'
import { getPath, isMapping, type Path } from './tree.ts'

/** `first_token` and `mcp-tools` as they look in the name of a variable. */
export const upperName = (key: string): string => key.toUpperCase().replace(/[^A-Z0-9]/g, '_')

/**
 * The path that `name` (`BACKENDS_HOME_BASE_URL`, without the prefix) stands for, found by walking the schema.
 * Where names are free, one that `tree` already has is preferred. `text` decides whether a whole mapping is meant.
 */
export function resolveName(part: Part, tree: unknown, name: string, text: string): Path | undefined {
  const shape = shapeOf(part, tree)
  if (shape.kind === 'scalar' || shape.kind === 'list') return undefined
  const known = shape.kind === 'mapping' ? Object.keys(shape.keys) : isMapping(tree) ? Object.keys(tree) : []
  // The longest first: `mcp_tools` before `mcp`.
  for (const key of known.toSorted((a, b) => b.length - a.length)) {
    const path = matchKey(partAt(shape, key) ?? part, getPath(tree, [key]), key, name, text)
    if (path) return path
  }
  if (shape.kind === 'mapping' || (shape.kind === 'free' && !isMapping(tree))) return undefined
  return newKey(partAt(shape, '') ?? part, name, text)
}

/** Every name that can be told in advance, for "did you mean". */
export function listNames(part: Part, tree: unknown, start = ''): string[] {
  const shape = shapeOf(part, tree)
  if (shape.kind !== 'mapping' && shape.kind !== 'record') return [start]
  const keys = Object.keys(shape.kind === 'mapping' ? shape.keys : isMapping(tree) ? tree : {})
  return keys.flatMap(key =>
    listNames(partAt(shape, key) ?? part, getPath(tree, [key]), start === '' ? upperName(key) : `${start}_${upperName(key)}`),
  )
}

function matchKey(part: Part, tree: unknown, key: string, name: string, text: string): Path | undefined {
  const upper = upperName(key)
  if (name === upper) return takesText(part, tree, text) ? [key] : undefined
  const rest = name.startsWith(`${upper}_`) ? resolveName(part, tree, name.slice(upper.length + 1), text) : undefined
  return rest && [key, ...rest]
}

// HOME_BASE_URL: `home` and base_url, because no shorter or longer name for the backend leaves a key behind.
function newKey(part: Part, name: string, text: string): Path | undefined {
  for (let end = name.indexOf('_', 1); end > 0; end = name.indexOf('_', end + 1)) {
    const rest = resolveName(part, undefined, name.slice(end + 1), text)
    if (rest) return [name.slice(0, end).toLowerCase(), ...rest]
  }
  return name !== '' && takesText(part, undefined, text) ? [name.toLowerCase()] : undefined
}

function takesText(part: Part, tree: unknown, text: string): boolean {
  const { kind } = shapeOf(part, tree)
  return (kind !== 'mapping' && kind !== 'record') || text.trim().startsWith('{')
}
