import type * as v from 'valibot'
import { backendTypes } from './backend-schema.ts'
import type { Problem } from './expand.ts'
import { fileSchema } from './schema.ts'
import { type Part, partAt, shapeOf } from './shape.ts'
import { didYouMean } from './suggest.ts'
import { getPath, isMapping, type Path } from './tree.ts'

/** What valibot found, in words an operator can act on. `tree` is what was checked. */
export const schemaProblems = (issues: readonly v.BaseIssue<unknown>[], tree: unknown): Problem[] =>
  issues.flatMap(issue => describe(issue, issuePath(issue), tree))

/** The problem of a key that nobody knows. */
export function unknownKey(path: Path, known: readonly string[]): Problem {
  const guess = didYouMean(String(path.at(-1)), known)
  const list = guess === '' && path.length > 1 ? `; known here: ${known.join(', ')}` : ''
  return { path, message: `is not a setting${guess}${list}` }
}

function describe(issue: v.BaseIssue<unknown>, path: Path, tree: unknown): Problem[] {
  // strict_object reports the first unknown key only.
  if (issue.type === 'strict_object' && issue.expected === 'never') return unknownKeys(path.slice(0, -1), tree)
  if (issue.type === 'variant') return [{ path, message: wrongType(getPath(tree, path)) }]
  if (issue.type !== 'strict_object') return [{ path, message: issue.message }]
  return [{ path, message: `is missing${missing[String(path.at(-1))] ?? ''}` }]
}

const missing: Readonly<Record<string, string>> = {
  base_url: '; write the address of the server, for example http://localhost:8000',
  name: '; write the name clients use',
  backend: '; write the name of one of the backends',
}

function unknownKeys(parent: Path, tree: unknown): Problem[] {
  const value = getPath(tree, parent)
  const shape = shapeOf(partOf(parent, tree), value)
  if (shape.kind !== 'mapping' || !isMapping(value)) return []
  const known = Object.keys(shape.keys)
  return Object.keys(value)
    .filter(key => !known.includes(key))
    .map(key => unknownKey([...parent, key], known))
}

const wrongType = (type: unknown) =>
  typeof type === 'string'
    ? `must be one of ${backendTypes.join(', ')}, not ${JSON.stringify(type)}${didYouMean(type, backendTypes)}`
    : `is missing; write one of ${backendTypes.join(', ')}`

function partOf(path: Path, tree: unknown): Part {
  return path.reduce<Part>((part, key, index) => partAt(shapeOf(part, getPath(tree, path.slice(0, index))), key) ?? part, fileSchema)
}

const issuePath = (issue: v.BaseIssue<unknown>): Path => (issue.path ?? []).map(item => item.key as string | number)
