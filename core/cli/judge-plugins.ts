import { dirname, join } from 'node:path'
import type { LoadedConfig } from '../config/load.ts'
import { ownNames } from '../config/pipeline.ts'
import { fileSchema } from '../config/schema.ts'
import { firstSuggestions } from '../config/suggest.ts'
import { ConfigError } from '../errors.ts'
import { findPlugins, type PluginProblem } from '../find-plugins.ts'
import { checkOrder } from '../pipeline.ts'
import { findOptions, type LoadedPlugin, optionsOf, type PluginSources } from '../plugins.ts'
import { hideAll, secretsOf } from '../secrets.ts'

/** The plugins of the composition root. */
export type PluginSet = Pick<PluginSources, 'builtIn' | 'reserved' | 'alwaysOn'>

/** What the plugins of a config come to. Each line says where it was written, which setting, and what to do. */
export interface Judgement {
  /** With one of these, gatehouse does not start. */
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  /** Said when there is no router: calls to a model get no answer, or only perhaps when plugins of the user's are there. */
  readonly unanswered?: { readonly line: string; readonly perhaps: boolean }
}

/** Throws a ConfigError with everything that is wrong with the pipeline and with the options of its plugins. */
export async function refuseWrongPlugins(loaded: LoadedConfig, set: PluginSet, cwd: string): Promise<void> {
  const { problems } = await judgePlugins(loaded, set, cwd)
  if (problems.length > 0) throw new ConfigError(problems.join('\n'))
}

/** Looks for the plugins of a config, and judges their options and their order. Sets none of them up. */
export async function judgePlugins(loaded: LoadedConfig, set: PluginSet, cwd: string): Promise<Judgement> {
  const { config, file } = loaded
  const sources = { ...set, baseDir: file === undefined ? cwd : dirname(file), pluginDir: join(config.data_dir, 'plugins') }
  const { loaded: plugins, problems } = await findPlugins(config.pipeline, name => optionsOf(config, name), sources)
  const hide = hideAll(secretsOf(config)) // what a plugin complains of may quote its options
  const lines = (found: readonly PluginProblem[]) =>
    loaded
      .lines(
        found.map(({ plugin, path, message }) => ({
          path: plugin === undefined ? path : [...(findOptions(config, plugin)?.path ?? [plugin]), ...path],
          message,
        })),
      )
      .map(hide)
  // a plugin that is not there may be the one a section is for
  if (problems.some(({ plugin }) => plugin === undefined)) return { problems: lines(problems), warnings: [] }
  const names = plugins.map(({ plugin }) => plugin.name)
  const certain = plugins.filter(({ plugin: { name } }) => set.builtIn.has(name) && !set.alwaysOn.some(always => always.name === name))
  const wrong = wrongOrder(certain)
  const unanswered = names.includes('router') ? undefined : withoutRouter(config.pipeline)
  return {
    ...(unanswered && { unanswered: { line: lines([unanswered]).join(), perhaps: unanswered.perhaps } }),
    problems: lines([...problems, ...strays(Object.keys(config.options), names), ...wrong]),
    // what a plugin does is known only when it is set up
    warnings: lines(
      wrong.length > 0
        ? []
        : wrongOrder(plugins).map(problem => ({ ...problem, message: `${problem.message}, if it acts on them at all` })),
    ),
  }
}

function withoutRouter(pipeline: readonly string[]) {
  const perhaps = pipeline.some(entry => !ownNames.includes(entry))
  const unless = perhaps ? ', unless a plugin of yours answers them' : ''
  return { path: ['pipeline'], message: `has no router, so that calls to a model end with 501${unless}; add router at its end`, perhaps }
}

function strays(sections: readonly string[], plugins: readonly string[]): PluginProblem[] {
  const suggest = firstSuggestions()
  const known = [...Object.keys(fileSchema.entries), ...plugins]
  return sections
    .filter(name => !plugins.includes(name))
    .map(name => ({
      path: [name],
      message: `is not a setting, and no plugin in the pipeline is called "${name}"${suggest(name, known)}`,
    }))
}

function wrongOrder(plugins: readonly LoadedPlugin[]): PluginProblem[] {
  try {
    checkOrder(plugins.map(({ plugin: { name, guards = 'operations' } }) => ({ name, guards })))
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [{ path: ['pipeline'], message: error.message.replace(/^pipeline: /, '') }]
  }
}
