import { existsSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from './config/schema.ts'
import { ConfigError } from './errors.ts'
import type { Gateway } from './gateway.ts'
import type { Layer } from './pipeline.ts'
import type { Plugin, PluginInstance } from './plugin.ts'
import type { SchemaIssue } from './schema.ts'
import { within } from './within.ts'

/** Where plugins come from. */
export interface PluginSources {
  /** The plugins inside the binary, by name. */
  readonly builtIn: ReadonlyMap<string, Plugin>
  /** Names that belong to gatehouse and bring nothing yet: they may stand in a pipeline. */
  readonly reserved: readonly string[]
  /** Built-in plugins that are there whatever `pipeline` says; see `withAlwaysOn`. */
  readonly alwaysOn: readonly AlwaysOn[]
  /** Relative paths in `pipeline` count from here: the folder of the config file. */
  readonly baseDir: string
  /** A bare name that is not built in is looked up here. */
  readonly pluginDir: string
}

/** A plugin whose routes nobody can forget. Not named in `pipeline`, its layer stands in front of the first of `before`. */
export interface AlwaysOn {
  readonly name: string
  readonly before: readonly string[]
}

/** The pipeline with the plugins that are always on. */
export function withAlwaysOn(pipeline: readonly string[], alwaysOn: readonly AlwaysOn[]): readonly string[] {
  const entries = [...pipeline]
  for (const { name, before } of alwaysOn) {
    if (entries.includes(name)) continue
    const place = entries.findIndex(entry => before.includes(entry))
    entries.splice(place === -1 ? entries.length : place, 0, name)
  }
  return entries
}

/** A plugin that is found, its options checked, but not set up. */
export interface LoadedPlugin {
  readonly plugin: Plugin
  readonly options: unknown
}

/**
 * Answers `import … from 'gatehouse'` in plugins on disk with the very module the binary runs on, so that
 * nothing needs to be installed and a thrown `GatewayError` is the same class. Call it once, before the
 * first plugin is loaded.
 */
export function provideModule(name: string, exports: Record<string, unknown>): void {
  Bun.plugin({
    name: `${name}-module`,
    setup(build) {
      build.module(name, () => ({ exports: { ...exports }, loader: 'object' }))
    },
  })
}

/** Finds the plugins of a pipeline and checks their options. Throws a ConfigError that names plugin and option. */
export async function loadPlugins(
  pipeline: readonly string[],
  optionsOf: (name: string) => unknown,
  sources: PluginSources,
): Promise<LoadedPlugin[]> {
  const loaded: LoadedPlugin[] = []
  for (const entry of withAlwaysOn(pipeline, sources.alwaysOn)) {
    const plugin = sources.builtIn.get(entry) ?? (sources.reserved.includes(entry) ? undefined : await importPlugin(entry, sources))
    if (!plugin) continue
    if (loaded.some(other => other.plugin.name === plugin.name)) {
      throw new ConfigError(`pipeline: two plugins are called "${plugin.name}"; give one of them another name`)
    }
    loaded.push({ plugin, options: await checkOptions(plugin, optionsOf(plugin.name)) })
  }
  return loaded
}

/** A plugin's options stand under its own name at the top level, or in `plugins.configs`. */
export function optionsOf({ options, plugins, limiter, router }: Config, name: string): unknown {
  for (const sections of [options, plugins.configs, { limiter, router }]) {
    if (Object.hasOwn(sections, name)) return (sections as Readonly<Record<string, unknown>>)[name]
  }
}

/** Sets the plugins up in order. When one fails, those before it are closed again. */
export async function setUpPlugins(loaded: readonly LoadedPlugin[], gateway: Gateway): Promise<Layer[]> {
  const layers: Layer[] = []
  for (const { plugin, options } of loaded) {
    try {
      const instance = await setUp(plugin, options, gateway)
      layers.push({ ...instance, name: plugin.name, guards: plugin.guards ?? 'operations' })
    } catch (error) {
      await closePlugins(layers, gateway)
      throw new ConfigError(`plugin ${plugin.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
  return layers
}

/** A plugin that waits for something that never comes must not hold up a start or every later reload. */
const longestSetupMs = 30_000
/** And one that does not end must not hold up a stop. */
const longestCloseMs = 5_000

async function setUp(plugin: Plugin, options: unknown, gateway: Gateway): Promise<PluginInstance> {
  let instance: PluginInstance | undefined
  const work = (async () => {
    instance = await plugin.setup(options, gateway)
  })()
  if (!(await within(longestSetupMs, work))) throw new Error(`its setup did not end within ${longestSetupMs / 1000} s`)
  return instance as unknown as PluginInstance
}

/** Closes plugins in reverse order; one that fails to close does not keep the others open. */
export async function closePlugins(layers: readonly Layer[], { log }: Pick<Gateway, 'log'>): Promise<void> {
  for (const { name, close } of layers.toReversed()) await closeWithin(close, name, log)
}

/** Closes what belongs to a plugin; what fails, or takes for ever, is only told. */
export async function closeWithin(close: PluginInstance['close'], plugin: string, log: Gateway['log']): Promise<void> {
  try {
    const work = (async () => close?.())()
    if (!(await within(longestCloseMs, work))) log.error({ plugin }, `plugin did not close within ${longestCloseMs / 1000} s`)
  } catch (err) {
    log.error({ plugin, err }, 'plugin failed to close')
  }
}

async function importPlugin(entry: string, { baseDir, pluginDir, builtIn }: PluginSources): Promise<Plugin> {
  const file = findFile(entry, baseDir, pluginDir)
  if (!file) {
    const known = [...builtIn.keys()].join(', ')
    throw new ConfigError(
      isPath(entry)
        ? `pipeline: there is no plugin file ${resolve(baseDir, entry)}`
        : `pipeline: there is no plugin "${entry}"; built in are ${known}; a plugin of your own is a path such as ./plugins/${entry}.ts, or a file in ${pluginDir}`,
    )
  }
  const module = (await import(pathToFileURL(file).href).catch((cause: unknown) => {
    throw new ConfigError(`pipeline: ${entry} could not be loaded: ${reasonOf(cause)}`, { cause })
  })) as { readonly default?: unknown }
  if (!isPlugin(module.default)) {
    throw new ConfigError(`pipeline: ${entry} is not a plugin; it needs \`export default definePlugin({ name, setup })\``)
  }
  return module.default
}

const isPath = (entry: string) => /[/\\]|\.[cm]?[jt]s$/.test(entry)

function findFile(entry: string, baseDir: string, pluginDir: string): string | undefined {
  const base = isPath(entry) ? (isAbsolute(entry) ? entry : resolve(baseDir, entry)) : join(pluginDir, entry)
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

async function checkOptions({ name, options: schema }: Plugin, given: unknown): Promise<unknown> {
  if (!schema) return given ?? {}
  const result = await schema['~standard'].validate(given ?? {})
  if (!result.issues) return result.value
  throw new ConfigError(result.issues.map(issue => `${[name, ...pathOf(issue)].join('.')}: ${issue.message}`).join('\n'))
}

const pathOf = ({ path = [] }: SchemaIssue) => path.map(part => String(typeof part === 'object' ? part.key : part))
