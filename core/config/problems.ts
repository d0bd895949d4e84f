import type * as v from 'valibot'
import { backendTypes } from './backend-schema.ts'
import type { Problem } from './expand.ts'
import { fileSchema } from './schema.ts'
import { type Part, partAt, shapeOf } from './shape.ts'
import type { didYouMean } from './suggest.ts'
import { getPath, isMapping, type Path } from './tree.ts'

type Suggest = typeof didYouMean

/** What valibot found, in words an operator can act on. `tree` is what was checked. */
export const schemaProblems = (issues: readonly v.BaseIssue<unknown>[], tree: unknown, suggest: Suggest): Problem[] =>
  issues.flatMap(issue => describe(issue, issuePath(issue), tree, suggest))

/** The problem of a key that nobody knows. `known` are listed where they are few. */
export function unknownKey(path: Path, known: readonly string[], suggest: Suggest): Problem {
  const guess = suggest(String(path.at(-1)), known)
  const list = guess === '' && known.length > 0 && known.length <= mostListed ? `; known here: ${known.join(', ')}` : ''
  return { path, message: `is not a setting${guess}${list}` }
}

/** More than any section has; the top level has more. */
const mostListed = 30

function describe(issue: v.BaseIssue<unknown>, path: Path, tree: unknown, suggest: Suggest): Problem[] {
  // strict_object reports the first unknown key only.
  if (issue.type === 'strict_object' && issue.expected === 'never') return unknownKeys(path.slice(0, -1), tree, suggest)
  if (issue.type === 'variant') return [{ path, message: wrongType(getPath(tree, path), suggest) }]
  if (issue.type !== 'strict_object') return [{ path, message: issue.message }]
  return [{ path, message: `is missing${missing[String(path.at(-1))] ?? ''}` }]
}

const missing: Readonly<Record<string, string>> = {
  base_url: '; write the address of the server, for example http://localhost:8000',
  name: '; write the name clients use',
  backend: '; write the name of one of the backends',
}

/** The keys of a mapping that its part of the schema does not know. */
export function unknownKeys(parent: Path, tree: unknown, suggest: Suggest, root: Part = fileSchema): Problem[] {
  const value = getPath(tree, parent)
  const shape = shapeOf(partOf(parent, tree, root), value)
  if (shape.kind !== 'mapping' || !isMapping(value)) return []
  const known = Object.keys(shape.keys)
  return Object.keys(value)
    .filter(key => !known.includes(key))
    .map(key => unknownKey([...parent, key], known, suggest))
}

const wrongType = (type: unknown, suggest: Suggest) =>
  typeof type === 'string'
    ? `must be one of ${backendTypes.join(', ')}, not ${JSON.stringify(type)}${suggest(type, backendTypes)}`
    : `is missing; write one of ${backendTypes.join(', ')}`

/** The part of the schema at a path, or the nearest above it. */
export function partOf(path: Path, tree: unknown, root: Part = fileSchema): Part {
  return path.reduce<Part>((part, key, index) => partAt(shapeOf(part, getPath(tree, path.slice(0, index))), key) ?? part, root)
}

const issuePath = (issue: v.BaseIssue<unknown>): Path => (issue.path ?? []).map(item => item.key as string | number)
