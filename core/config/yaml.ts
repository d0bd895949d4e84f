import { ConfigError } from '../errors.ts'
import { quoteAt } from './compat/quote-at.ts'
import { isLlamagateName } from './compat/recognise.ts'
import type { Problem } from './expand.ts'
import { isMapping, type Tree } from './tree.ts'
import { type RepeatedKey, repeatedKeys } from './yaml/repeated-keys.ts'

/**
 * Parses YAML in which a plain `${NAME}` may stand anywhere, between braces too: `{ api_key: ${KEY} }`, where
 * YAML itself would end the value. Texts come back masked; `unmask` restores them.
 */
const parseMasked = (source: string): unknown => Bun.YAML.parse(maskVariables(source))

const maskVariables = (source: string) => source.replace(variable, mask)

/** Undoes what `parseMasked` did to a text. */
export const unmask = (text: string): string => text.replaceAll('\uE001', '{').replaceAll('\uE002', '}')

const variable = /\$\{[A-Za-z_][A-Za-z0-9_]*\}/g

// Private-use characters: ordinary letters to YAML, and in nobody's config.
const mask = (text: string) => text.replace('{', '\uE001').replace('}', '\uE002')

/** A config file as it was written, its texts still masked. `repaired` when it was not quite YAML. */
export interface Parsed {
  readonly tree: Tree
  readonly repaired: boolean
  /** What is wrong with how it is written, although it can be read. */
  readonly problems: readonly Problem[]
}

/** Reads the text of a config file. Throws a ConfigError that says about where it goes wrong. */
export function parseFile(path: string, source: string): Parsed {
  const parsed = tryParse(source)
  const isRepaired = parsed instanceof Error && isLlamagateName(path)
  const text = isRepaired ? quoteAt(source) : source
  const repaired = isRepaired ? tryParse(text) : parsed
  if (repaired instanceof Error) {
    const reason = repaired.message.replace(/^YAML Parse error: /, '').replace(/\s+/g, ' ')
    const hint =
      parsed instanceof Error && !(tryParse(quoteAt(source)) instanceof Error) ? '; a value that begins with @ must be in quotes' : ''
    throw new ConfigError(`${path}: is not valid YAML${nearLine(source)}: ${reason}${hint}`)
  }
  const tree = repaired ?? {}
  if (!isMapping(tree)) throw new ConfigError(`${path}: must be one YAML mapping of keys and values`)
  const problems = repeatedKeys(maskVariables(text)).map(({ path: keys, ...lines }) => ({
    path: keys.map(key => (typeof key === 'string' ? unmask(key) : key)),
    message: `stands ${inLines(lines)}; keep one of them`,
    source: path,
  }))
  return { tree, repaired: isRepaired, problems }
}

const inLines = ({ first, again }: Pick<RepeatedKey, 'first' | 'again'>) =>
  first === again ? `in line ${first} twice` : `in line ${first} and again in line ${again}`

function tryParse(source: string): unknown {
  try {
    return parseMasked(source)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** A file that is long takes long to be searched, and is hardly a config. */
const mostLines = 2000

// Bun's parser does not say where it stopped. The line after the longest beginning that still parses is close.
function nearLine(source: string): string {
  const lines = source.split('\n')
  if (lines.length > mostLines) return ''
  for (let end = lines.length - 1; end > 0; end--) {
    if (!(tryParse(lines.slice(0, end).join('\n')) instanceof Error)) return ` near line ${end + 1}`
  }
  return ' near line 1'
}
