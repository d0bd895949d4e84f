import type { LoadedConfig } from '../config/load.ts'
import { formatPath, isMapping, type Path, type Tree } from '../config/tree.ts'

/** Where the comments begin, when the value leaves room. */
const column = 44

/** The config as YAML, the source of each value behind it. It says what a gatehouse.yaml with the same effect would. */
export function configLines(shown: Tree, { sources, file, notes }: Pick<LoadedConfig, 'sources' | 'file' | 'notes'>): string[] {
  const commented = (line: string, path: Path) => {
    const source = sources.get(formatPath(path))
    return source === undefined ? line : `${line.padEnd(column)} # ${source}`
  }
  const visit = (key: string, value: unknown, path: Path): string[] => {
    const start = `${'  '.repeat(path.length - 1)}${yamlText(key)}:`
    if (isMapping(value) && Object.keys(value).length > 0 && !sources.has(formatPath(path))) {
      return [start, ...Object.entries(value).flatMap(([name, inner]) => visit(name, inner, [...path, name]))]
    }
    if (Array.isArray(value) && value.some(isMapping)) {
      return [commented(start, path), ...value.map(item => `${'  '.repeat(path.length)}- ${yamlFlow(item)}`)]
    }
    return [commented(`${start} ${yamlFlow(value)}`, path)]
  }
  const head = notes.length > 0 ? notes : [file ?? 'no config file']
  const sections = Object.entries(shown).map(([key, value]) => visit(key, value, [key]))
  // an empty line around what has lines of its own
  const body = sections.flatMap((lines, index) =>
    index > 0 && Math.max(lines.length, sections[index - 1]?.length ?? 0) > 1 ? ['', ...lines] : lines,
  )
  const careful = 'secrets are masked; in arguments and options of plugins by their looks, so look before you share this'
  return [...[...head, careful].map(line => `# ${line}`), ...body]
}

function yamlFlow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yamlFlow).join(', ')}]`
  if (!isMapping(value)) return typeof value === 'string' ? yamlText(value) : JSON.stringify(value)
  const entries = Object.entries(value).map(([key, inner]) => `${yamlText(key)}: ${yamlFlow(inner)}`)
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

/** Words, paths and addresses; IPv4 addresses; durations: every YAML reader takes these for text, between braces too. */
const plainText = [/^[A-Za-z/~.<][\w/~.:@<>+*-]*( [\w/~.:@<>+*-]+)*$/, /^\d+(\.\d+){3}$/, /^(\d+(\.\d+)?(ms|s|m|h))+$/]

/** A text, in quotes where YAML would read something else. */
function yamlText(text: string): string {
  const plain = plainText.some(pattern => pattern.test(text)) && !/:( |$)|^\.\d/.test(text)
  return plain && Bun.YAML.parse(text) === text ? text : JSON.stringify(text)
}
