import type { SchemaIssue } from '../schema.ts'
import { looksSecret } from '../secrets/looks.ts'
import type { Problem } from './expand.ts'
import { unknownKeys } from './problems.ts'
import type { Part } from './shape.ts'
import { firstSuggestions } from './suggest.ts'
import type { Path } from './tree.ts'

/** The options of a plugin, as they were written, and the schema they were checked with. */
export interface Judged {
  readonly schema: object
  readonly options: unknown
}

/**
 * What is wrong with the options of a plugin, in words an operator can act on; paths begin inside of them. What the
 * plugin says in words of its own stays as it is, so what is put into words here is what valibot says by itself.
 */
export function optionProblems(issues: readonly SchemaIssue[], { schema, options }: Judged): Problem[] {
  const suggest = firstSuggestions()
  return issues.flatMap((issue): Problem[] => {
    const path = pathOf(issue)
    const { type, expected } = issue as Partial<ValibotIssue>
    if (type !== 'strict_object' || expected !== 'never') return [{ path, message: inWords(issue.message, path) }]
    // it reports the first unknown key only
    const unknown = unknownKeys(path.slice(0, -1), options, suggest, schema as Part)
    return unknown.length > 0 ? unknown : [{ path, message: 'is not a setting' }]
  })
}

/** What valibot's issues have beside those of the standard. */
interface ValibotIssue {
  readonly type: string
  readonly expected: string | null
}

const pathOf = ({ path = [] }: SchemaIssue): Path =>
  path.map(part => (typeof part === 'object' ? part.key : part)).map(key => (typeof key === 'number' ? key : String(key)))

/** valibot's own sentence, `Invalid type: Expected number but received "x"`, as ours: `must be a number, not "x"`. */
function inWords(message: string, path: Path): string {
  const [, label = '', expected, received = ''] = /^Invalid ([^:]+): (?:Expected (.+) but r|R)eceived (.+)$/s.exec(message) ?? []
  if (label === '') return message
  if (received === 'undefined')
    return label === 'key' || expected === undefined ? 'is missing' : `is missing; it must be ${alternatives(expected)}`
  const not = looksSecret(String(path.at(-1) ?? '')) ? '' : `, not ${words[received] ?? received}`
  if (expected === undefined) return `must be ${words[label] ?? `a valid ${label}`}${not}`
  return label === 'type' || label === 'value'
    ? `must be ${alternatives(expected)}${not}`
    : `must have a ${label} of ${limit(expected)}${not}`
}

/** `(number | "a")`: what may stand there. */
const alternatives = (expected: string): string =>
  expected
    .replace(/^\((.*)\)$/s, '$1')
    .split(' | ')
    .map(one => words[one] ?? limit(one))
    .join(' or ')

const limit = (expected: string): string =>
  expected.replace(/^>=/, 'at least ').replace(/^<=/, 'at most ').replace(/^>/, 'more than ').replace(/^</, 'less than ')

const words: Readonly<Record<string, string>> = {
  Array: 'a list',
  Object: 'a mapping',
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  integer: 'a whole number',
  null: 'empty',
}
