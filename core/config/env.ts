import { modelgateNames } from './compat/modelgate-names.ts'
import { spotAt } from './compat/rules.ts'
import type { Draft } from './draft.ts'
import { listNames, resolveName } from './env-names.ts'
import { readText } from './normalise.ts'
import { passedOver, plainNames } from './plain-names.ts'
import { fileSchema } from './schema.ts'
import { section } from './settings.ts'
import { type Part, partAt, type Shape, shapeOf } from './shape.ts'
import { getPath, type Path, setPath } from './tree.ts'

const prefix = 'GATEHOUSE_'
/** For commands that speak to a running gatehouse; no setting. */
const forCommands = `${prefix}SERVER`

/** Variables by name. Empty ones count as not set. */
export type Variables = Readonly<Record<string, string | undefined>>

/** A `GATEHOUSE_` name that the schema does not know; perhaps it belongs to a plugin. */
export interface Unmatched {
  readonly name: string
  readonly text: string
  /** `environment` or `.env`. */
  readonly from: string
}

/** Lays variables over the draft, ModelGate's names below plain ones below prefixed ones, and answers the names nobody knew. */
export function applyVariables(draft: Draft, variables: Variables, from: string): Unmatched[] {
  applyModelgate(draft, variables, from)
  applyPlain(draft, variables, from)
  return applyPrefixed(draft, variables, from)
}

/** Gives unmatched names to the sections of plugins that are not built in, and warns of those that fit nowhere. */
export function applyPluginVariables(draft: Draft, unmatched: readonly Unmatched[], plugins: readonly string[]): void {
  for (const { name, text, from } of unmatched) {
    const sections = Object.fromEntries(plugins.map(plugin => [plugin, draft.tree[plugin] ?? {}]))
    const bare = name.slice(prefix.length)
    const path = resolveName(anySection, sections, bare, text)
    if (path && path.length > 1 && plugins.includes(String(path[0]))) put(draft, path, text, `${from} ${name}`)
    else {
      const hint = draft.didYouMean(bare, listNames(fileSchema, draft.tree), prefix)
      draft.warnings.push(`${from} ${name}: ignored, because there is no such setting${hint}`)
    }
  }
}

const anySection: Part = section

function applyModelgate(draft: Draft, variables: Variables, from: string): void {
  for (const [name, text] of Object.entries(variables)) {
    if (!name.startsWith('MG_') || !text?.trim()) continue
    const known = modelgateNames.get(name)
    if (known) known.take(text, spotAt(draft, `${from} ${name}`, known.path))
    else
      draft.warnings.push(
        `${from} ${name}: ignored, because gatehouse knows no such setting of ModelGate${draft.didYouMean(name, modelgateNames.keys())}`,
      )
  }
}

function applyPlain(draft: Draft, variables: Variables, from: string): void {
  for (const [name, path] of Object.entries(plainNames)) {
    const text = variables[name]
    if (!text?.trim()) continue
    const why = passedOver[name]?.(text.trim())
    if (why) draft.warnings.push(`${from} ${name}: ignored, because ${why}`)
    else put(draft, path, text, `${from} ${name}`)
  }
}

function applyPrefixed(draft: Draft, variables: Variables, from: string): Unmatched[] {
  const unmatched: Unmatched[] = []
  const linked = isServiceLink(variables)
  if (linked) draft.warnings.push(`${from} ${prefix}PORT: ignored, because Kubernetes sets it for a service named gatehouse`)
  const found: { readonly name: string; readonly text: string; readonly path: Path }[] = []
  for (const [name, text] of Object.entries(variables)) {
    if (!name.startsWith(prefix) || name === forCommands || !text?.trim() || (linked && /^GATEHOUSE_(PORT|SERVICE)(_|$)/.test(name)))
      continue
    const path = resolveName(fileSchema, draft.tree, name.slice(prefix.length), text)
    if (path) found.push({ name, text, path })
    else unmatched.push({ name, text, from })
  }
  // Whole mappings first, so that GATEHOUSE_BACKENDS_HOME_TYPE adds to GATEHOUSE_BACKENDS and is not lost under it.
  for (const { name, text, path } of found.toSorted((a, b) => a.path.length - b.path.length)) put(draft, path, text, `${from} ${name}`)
  return unmatched
}

// GATEHOUSE_PORT=tcp://10.0.0.1:11435, GATEHOUSE_SERVICE_HOST and more are in every pod beside such a service.
const isServiceLink = (variables: Variables) => /^(tcp|udp|sctp):\/\//.test(variables[`${prefix}PORT`] ?? '')

function put(draft: Draft, path: Path, text: string, label: string): void {
  const shape = shapeOf(partOf(path), getPath(draft.tree, path))
  if (isBroken(shape, text.trim())) draft.problems.push({ path, message: 'is not valid JSON or YAML', source: label })
  else setPath(draft.tree, path, readText(shape, text))
  draft.origins.note(path, label)
}

/** Text that begins as a list or a mapping in brackets and does not end as one. An IPv6 address in brackets is neither. */
function isBroken({ kind }: Shape, text: string): boolean {
  const begins = kind === 'list' ? /^\[(?![\da-f:.]*:[\da-f:.]*\])/i : kind === 'mapping' || kind === 'record' ? /^\{/ : undefined
  if (!begins?.test(text)) return false
  try {
    Bun.YAML.parse(text)
    return false
  } catch {
    return true
  }
}

/** The part of the schema at a path; keys it does not know are sections of plugins. */
function partOf(path: Path): Part {
  return path.reduce<Part>((part, key) => partAt(shapeOf(part), key) ?? (part === fileSchema ? anySection : part), fileSchema)
}
