import { placeholders } from '../processes/command-placeholders.ts'
import { isMapping, type Path, type Tree } from './tree.ts'
import { unmask } from './yaml.ts'

/** What is wrong at one place of the config. */
export interface Problem {
  readonly path: Path
  readonly message: string
  /** Where it was written, when `path` is a path of that place and not of the config. */
  readonly source?: string
}

/** Looks up a variable; undefined when nobody set it. */
type LookUp = (name: string) => string | undefined

/**
 * Replaces `${NAME}` in the texts of the file by the variable's value, and `${env.NAME}`, as llama-swap has it; `$${` stands for a literal `${`.
 * Always answers a copy, so that two places that share a YAML anchor do not change together later.
 */
export function expandVariables(tree: Tree, lookUp: LookUp, problems: Problem[]): Tree {
  const visit = (node: unknown, path: Path, around: readonly unknown[]): unknown => {
    if (typeof node === 'string') {
      const text = unmask(node)
      return expandText(text, isOfProcess(path), lookUp, message => problems.push({ path, message }))
    }
    if (around.includes(node)) {
      problems.push({ path, message: 'must not contain itself; remove the YAML alias' })
      return null
    }
    if (Array.isArray(node)) return node.map((item, index) => visit(item, [...path, index], [...around, node]))
    return isMapping(node) ? visitMapping(node, path, [...around, node]) : node
  }
  const visitMapping = (node: Tree, path: Path, around: readonly unknown[]): Tree =>
    Object.fromEntries(Object.entries(node).map(([key, item]) => [unmask(key), visit(item, [...path, unmask(key)], around)]))
  return visitMapping(tree, [], [tree])
}

function expandText(text: string, ofProcess: boolean, lookUp: LookUp, report: (message: string) => void): string {
  return text.replace(/\$\$\{|\$\{(?:env\.)?([^}]*)\}?/g, (match, name: string | undefined) => {
    if (match === '$${') return '${'
    if (ofProcess && placeholders.some(placeholder => match === `\${${placeholder}}`)) return match
    if (name === undefined || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || !match.endsWith('}')) {
      report(`has a \${ that is no variable; write \${NAME}, or $\${ for the two characters themselves`)
      return match
    }
    const value = lookUp(name)
    if (value) return value
    report(`needs the variable ${name}, which is not set; set it in the environment or in .env, or write $\${${name}} for the text itself`)
    return match
  })
}

// What is known only when the process of a model starts; its API_KEY is not that of gatehouse.
const isOfProcess = ([section, , key]: Path) => section === 'models' && ['command', 'extra_args', 'env', 'stop'].includes(String(key))
