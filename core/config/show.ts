import { redacted } from '../secrets/looks.ts'
import { maskArguments, maskCommand, maskSettings, maskText } from '../secrets/mask.ts'
import { formatDuration } from './duration.ts'
import { type Config, fileSchema } from './schema.ts'
import { kindOf, type Part, partAt, shapeOf } from './shape.ts'
import { isMapping, type Tree } from './tree.ts'

/** The config as somebody would write it in gatehouse.yaml: durations as text, what is not set left out, secrets hidden. */
export function showConfig({ options, ...config }: Config): Tree {
  // a model that gatehouse runs must not name targets, not even none
  const models = config.models.map(({ targets, ...model }) => (targets.length > 0 ? { ...model, targets } : model))
  return { ...(visit(fileSchema, { ...config, models }) as Tree), ...(maskSettings(options) as Tree) }
}

function visit(part: Part, value: unknown): unknown {
  const shape = shapeOf(part, value)
  if (shape.kind === 'list' && Array.isArray(value)) {
    const items = value.map(item => visit(shape.item, item))
    return kindOf(shape.item) === 'argument' ? maskArguments(value as string[]).map(asLiteral) : items
  }
  // the keys in the order of the schema, which is that of the README
  if (shape.kind === 'mapping' && isMapping(value)) return entriesOf(Object.keys(shape.keys), value, key => partAt(shape, key))
  if (shape.kind === 'record' && isMapping(value)) {
    return shapeOf(shape.value).kind === 'free' ? maskSettings(value) : entriesOf(Object.keys(value), value, () => shape.value)
  }
  return visitScalar(part, value)
}

function visitScalar(part: Part, value: unknown): unknown {
  const kind = kindOf(part)
  if (kind === 'secret') return redacted
  if (kind === 'duration') return formatDuration(value as number)
  // the one setting that may be null: no limit
  if (value === null) return 'none'
  if (typeof value !== 'string') return value
  return asLiteral(kind === 'argument' ? maskCommand(value) : maskText(value))
}

/** `${` as the file wants it, but for the port that stands for itself in a model's command. */
const asLiteral = (text: string) => text.replace(/\$\{(?!PORT\})/g, '$$$${')

function entriesOf(keys: readonly string[], value: Tree, partOf: (key: string) => Part | undefined): Tree {
  const entries = keys.filter(key => value[key] !== undefined).map(key => [key, visit(partOf(key) ?? fileSchema, value[key])])
  return Object.fromEntries(entries)
}
