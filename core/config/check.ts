import * as v from 'valibot'
import { addProblems, type Draft } from './draft.ts'
import type { Problem } from './expand.ts'
import type { ConfigFile } from './file.ts'
import { normalise } from './normalise.ts'
import { writtenPath } from './origins.ts'
import { ownNames } from './pipeline.ts'
import { schemaProblems, unknownKey } from './problems.ts'
import { duplicateNames, unknownBackends, unknownGroups, wrongProcesses } from './references.ts'
import { type Config, configSchema, fileSchema } from './schema.ts'
import { formatPath, getPath, type Path, type Tree } from './tree.ts'

/** A draft after the check; without `config` when something is wrong. */
export interface Checked {
  /** What was checked: the draft in its normal form. */
  readonly tree: Tree
  readonly config?: Config
}

/** Checks a draft against the schema and its names against each other. */
export function checkDraft(draft: Draft, file: ConfigFile | undefined): Checked {
  const tree = normalise(fileSchema, draft.tree) as Tree
  const { known, options } = splitSections(tree)
  const ownPlugins = hasOwnPlugins(tree)
  const settings = Object.keys(fileSchema.entries)
  const result = v.safeParse(configSchema, { ...known, options })
  const found = [
    ...(ownPlugins ? [] : Object.keys(options).map(key => unknownKey([key], settings, draft.didYouMean))),
    ...(result.success ? [] : schemaProblems(result.issues, tree, draft.didYouMean)),
    ...duplicateNames(tree),
    ...unknownGroups(tree, draft.didYouMean),
    ...wrongProcesses(tree),
  ]
  // A user's plugin may bring the backend that nobody configured.
  const strangers = unknownBackends(tree, draft.didYouMean)
  addProblems(draft, ownPlugins ? found : [...found, ...strangers])
  if (ownPlugins) draft.warnings.push(...problemLines(strangers, draft, file))
  return { tree, ...(result.success && { config: result.output }) }
}

/** One line each: where it was written, which setting, what to do. */
export function problemLines(problems: readonly Problem[], { origins }: Draft, file: ConfigFile | undefined): string[] {
  const sourceOf = (path: Path) => {
    const parent = path.slice(0, -1)
    const fromFile = file?.format === 'gatehouse' && getPath(file.tree, parent) !== undefined ? file.path : undefined
    return origins.of(path)?.label ?? fromFile ?? origins.below(parent)?.label ?? file?.path ?? 'config'
  }
  const line = ({ path, message, source }: Problem) =>
    source === undefined
      ? `${sourceOf(path)}: ${formatPath(writtenPath(path, origins.of(path)))}: ${message}`
      : `${source}: ${formatPath(path)}: ${message}`
  return [...new Set(problems.map(line))]
}

/** Top-level keys that the schema does not know. Environment names of these plugins count as well. */
export function pluginSections(tree: Tree, pipeline: unknown = tree.pipeline): string[] {
  if (!hasOwnPlugins({ pipeline })) return []
  const { options } = splitSections(tree)
  return [...new Set([...Object.keys(options), ...ownPluginNames({ pipeline })])]
}

function splitSections(tree: Tree): { readonly known: Tree; readonly options: Tree } {
  const isKnown = (key: string) => Object.hasOwn(fileSchema.entries, key)
  const entries = Object.entries(tree)
  return {
    known: Object.fromEntries(entries.filter(([key]) => isKnown(key))),
    options: Object.fromEntries(entries.filter(([key]) => !isKnown(key))),
  }
}

const hasOwnPlugins = (tree: Tree) => ownPluginNames(tree).length > 0

function ownPluginNames(tree: Tree): string[] {
  const { pipeline } = normalise(fileSchema, { pipeline: tree.pipeline }) as Tree
  if (!Array.isArray(pipeline)) return []
  return pipeline.filter(entry => typeof entry === 'string' && !ownNames.includes(entry))
}
