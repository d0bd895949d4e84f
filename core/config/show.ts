import { placeholders } from '../processes/command-placeholders.ts'
import { redacted } from '../secrets/looks.ts'
import { maskArguments, maskCommand, maskSettings, maskText } from '../secrets/mask.ts'
import { secretsOf } from '../secrets.ts'
import { formatDuration } from './duration.ts'
import { type Config, fileSchema } from './schema.ts'
import { kindOf, type Part, partAt, shapeOf } from './shape.ts'
import { isMapping, type Tree } from './tree.ts'

/** The config as somebody would write it in gatehouse.yaml: durations as text, what is not set left out, secrets hidden. */
export function showConfig(whole: Config): Tree {
  const { options, ...config } = whole
  // known secrets may stand a second time where nobody knows what a word is
  const secrets = secretsOf(whole)
  // a model that gatehouse runs must not name targets, not even none
  const models = config.models.map(({ targets, ...model }) => (targets.length > 0 ? { ...model, targets } : model))
  return { ...(visit(fileSchema, { ...config, models }, secrets) as Tree), ...(maskSettings(options, secrets) as Tree) }
}

function visit(part: Part, value: unknown, secrets: readonly string[]): unknown {
  const shape = shapeOf(part, value)
  if (shape.kind === 'list' && Array.isArray(value)) {
    if (kindOf(shape.item) === 'argument')
      return maskArguments(value as string[])
        .map(hideAgain(secrets))
        .map(asLiteral)
    return value.map(item => visit(shape.item, item, secrets))
  }
  // the keys in the order of the schema, which is that of the README
  if (shape.kind === 'mapping' && isMapping(value)) return entriesOf(Object.keys(shape.keys), value, key => partAt(shape, key), secrets)
  if (shape.kind === 'record' && isMapping(value)) {
    return shapeOf(shape.value).kind === 'free'
      ? maskSettings(value, secrets)
      : entriesOf(Object.keys(value), value, () => shape.value, secrets)
  }
  return visitScalar(part, value, secrets)
}

function visitScalar(part: Part, value: unknown, secrets: readonly string[]): unknown {
  const kind = kindOf(part)
  if (kind === 'secret') return redacted
  if (kind === 'duration') return formatDuration(value as number)
  // the one setting that may be null: no limit
  if (value === null) return 'none'
  if (typeof value !== 'string') return value
  return asLiteral(kind === 'argument' ? hideAgain(secrets)(maskCommand(value)) : maskText(value))
}

const hideAgain = (secrets: readonly string[]) => (text: string) =>
  secrets.reduce((shown, secret) => shown.replaceAll(secret, redacted), text)

/** `${` as the file wants it, but for what stands for itself in the command of a model. */
const asLiteral = (text: string) => text.replace(placeholder, '$$$${')

const placeholder = new RegExp(`\\$\\{(?!(?:${placeholders.join('|')})\\})`, 'g')

function entriesOf(keys: readonly string[], value: Tree, partOf: (key: string) => Part | undefined, secrets: readonly string[]): Tree {
  const entries = keys.filter(key => value[key] !== undefined).map(key => [key, visit(partOf(key) ?? fileSchema, value[key], secrets)])
  return Object.fromEntries(entries)
}
