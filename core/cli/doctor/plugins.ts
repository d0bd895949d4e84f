import { dirname, join } from 'node:path'
import type { Config } from '../../config/schema.ts'
import { ConfigError } from '../../errors.ts'
import { loadPlugins, optionsOf, type PluginSources } from '../../plugins.ts'
import { type Finding, ok, problem } from './finding.ts'

/** The plugins of the composition root. */
export type PluginSet = Omit<PluginSources, 'baseDir' | 'pluginDir'>

/** The pipeline: is every plugin there, does it load, and are its options right. */
export async function checkPlugins(
  config: Config,
  set: PluginSet,
  { file, cwd }: { readonly file: string | undefined; readonly cwd: string },
): Promise<readonly Finding[]> {
  const sources = { ...set, baseDir: file === undefined ? cwd : dirname(file), pluginDir: join(config.data_dir, 'plugins') }
  const names: string[] = []
  const load = async (pipeline: readonly string[]): Promise<readonly Finding[]> => {
    try {
      const loaded = await loadPlugins(pipeline, name => optionsOf(config, name), sources)
      names.push(...loaded.map(({ plugin }) => plugin.name))
      return []
    } catch (error) {
      if (error instanceof ConfigError)
        return error.message.split('\n').map(line => problem(line, 'correct the plugin, its options, or pipeline'))
      throw error
    }
  }
  // one by one, so that one mistake does not hide the next
  const alone = (await Promise.all(config.pipeline.map(entry => load([entry])))).flat()
  const findings = alone.length > 0 ? alone : await load(config.pipeline)
  const stray = findings.length > 0 ? [] : Object.keys(config.options).filter(name => !names.includes(name))
  return [
    ...(findings.length === 0 && stray.length === 0 ? [ok(config.pipeline.join(' → '))] : findings),
    ...stray.map(name =>
      problem(
        `${name}: there is no such setting, and no plugin of that name in the pipeline`,
        `take ${name} out, or name the plugin in pipeline`,
      ),
    ),
  ]
}
