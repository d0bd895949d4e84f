import { existsSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { optionProblems } from './config/option-problems.ts'
import { isPluginPath } from './config/pipeline.ts'
import { didYouMean } from './config/suggest.ts'
import type { Path } from './config/tree.ts'
import type { Plugin } from './plugin.ts'
import type { AlwaysOn, LoadedPlugin, PluginSources } from './plugins.ts'

/** What is wrong with a plugin of a pipeline, or with its options. */
export interface PluginProblem {
  /** Whose options `path` leads into; without it, `path` is one of the config. */
  readonly plugin?: string
  readonly path: Path
  readonly message: string
}

/** What came of a pipeline. */
export interface FoundPlugins {
  readonly loaded: readonly LoadedPlugin[]
  readonly problems: readonly PluginProblem[]
}

/** Finds the plugins of a pipeline, in their order, and checks their options. Sets nothing up, but runs the files of plugins on disk. */
export async function findPlugins(
  pipeline: readonly string[],
  optionsOf: (name: string) => unknown,
  sources: PluginSources,
): Promise<FoundPlugins> {
  const loaded: LoadedPlugin[] = []
  const problems: PluginProblem[] = []
  for (const entry of withAlwaysOn(pipeline, sources.alwaysOn)) {
    if (!sources.builtIn.has(entry) && sources.reserved.includes(entry)) continue
    const path = ['pipeline', pipeline.indexOf(entry)]
    const plugin = sources.builtIn.get(entry) ?? (await importPlugin(entry, sources))
    if (typeof plugin === 'string') problems.push({ path, message: plugin })
    else if (loaded.some(other => other.plugin.name === plugin.name)) {
      problems.push({ path, message: `two plugins are called "${plugin.name}"; give one of them another name` })
    } else {
      const checked = await checkOptions(plugin, optionsOf(plugin.name) ?? {})
      if ('problems' in checked) problems.push(...checked.problems)
      loaded.push({ plugin, options: 'options' in checked ? checked.options : {} })
    }
  }
  return { loaded, problems }
}

/** The pipeline with the plugins that are always on. */
function withAlwaysOn(pipeline: readonly string[], alwaysOn: readonly AlwaysOn[]): readonly string[] {
  const entries = [...pipeline]
  for (const { name, before } of alwaysOn) {
    if (entries.includes(name)) continue
    const place = entries.findIndex(entry => before.includes(entry))
    entries.splice(place === -1 ? entries.length : place, 0, name)
  }
  return entries
}

/** The plugin of an entry that is not built in, or why there is none. */
async function importPlugin(entry: string, sources: PluginSources): Promise<Plugin | string> {
  const { baseDir, pluginDir } = sources
  const file = findFile(entry, baseDir, pluginDir)
  if (!file) return isPluginPath(entry) ? `there is no plugin file ${resolve(baseDir, entry)}` : nobody(entry, sources)
  try {
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown }
    return isPlugin(module.default) ? module.default : `${entry} is not a plugin; it needs \`export default definePlugin({ name, setup })\``
  } catch (cause) {
    return `${entry} could not be loaded: ${reasonOf(cause).replace(/\s+/g, ' ')}`
  }
}

function nobody(entry: string, { builtIn, reserved, pluginDir }: PluginSources): string {
  const known = [...builtIn.keys(), ...reserved]
  const guess = didYouMean(entry, known)
  if (guess !== '') return `there is no plugin "${entry}"${guess}`
  return `there is no plugin "${entry}"; built in are ${known.join(', ')}; a plugin of your own is a path such as ./plugins/${entry}.ts, or a file in ${pluginDir}`
}

function findFile(entry: string, baseDir: string, pluginDir: string): string | undefined {
  const base = isPluginPath(entry) ? (isAbsolute(entry) ? entry : resolve(baseDir, entry)) : join(pluginDir, entry)
  const files = /\.[cm]?[jt]s$/.test(base) ? [base] : [`${base}.ts`, `${base}.js`, join(base, 'index.ts'), join(base, 'index.js')]
  return files.find(existsSync)
}

const isPlugin = (value: unknown): value is Plugin =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Plugin).name === 'string' &&
  /^[a-z0-9]+(-[a-z0-9]+)*$/.test((value as Plugin).name) &&
  typeof (value as Plugin).setup === 'function'

/** Bun gathers syntax errors in an AggregateError whose own message says nothing. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}

async function checkOptions(
  { name, options: schema }: Plugin,
  options: unknown,
): Promise<{ readonly options: unknown } | { readonly problems: readonly PluginProblem[] }> {
  if (!schema) return { options }
  const result = await schema['~standard'].validate(options)
  if (!result.issues) return { options: result.value }
  return { problems: optionProblems(result.issues, { schema, options }).map(problem => ({ plugin: name, ...problem })) }
}
