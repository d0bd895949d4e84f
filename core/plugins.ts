import type { Config } from './config/schema.ts'
import { formatPath, type Path } from './config/tree.ts'
import { ConfigError } from './errors.ts'
import { findPlugins, type PluginProblem } from './find-plugins.ts'
import type { Gateway } from './gateway.ts'
import type { Layer } from './pipeline.ts'
import type { Plugin, PluginInstance } from './plugin.ts'
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

/** Finds the plugins of a pipeline and checks their options. Throws a ConfigError with a line for everything that is wrong. */
export async function loadPlugins(
  pipeline: readonly string[],
  optionsOf: (name: string) => unknown,
  sources: PluginSources,
): Promise<readonly LoadedPlugin[]> {
  const { loaded, problems } = await findPlugins(pipeline, optionsOf, sources)
  if (problems.length === 0) return loaded
  const line = ({ plugin, path, message }: PluginProblem) => `${formatPath(plugin === undefined ? path : [plugin, ...path])}: ${message}`
  throw new ConfigError(problems.map(line).join('\n'))
}

/** A plugin's options stand under its own name at the top level, or in `plugins.configs`. */
export const optionsOf = (config: Config, name: string): unknown => findOptions(config, name)?.options

/** The options of a plugin, and where in the config they stand; undefined when nobody wrote any. */
export function findOptions(
  { options, plugins, limiter, router }: Config,
  name: string,
): { readonly path: Path; readonly options: unknown } | undefined {
  const places: readonly (readonly [Path, object])[] = [
    [[], options],
    [['plugins', 'configs'], plugins.configs],
    [[], { limiter, router }],
  ]
  const [path, section] = places.find(([, section]) => Object.hasOwn(section, name)) ?? []
  return path && { path: [...path, name], options: (section as Readonly<Record<string, unknown>>)[name] }
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
