import type { LoadedConfig } from '../../config/load.ts'
import { judgePlugins, type PluginSet } from '../judge-plugins.ts'
import { type Finding, ok, problem, warning } from './finding.ts'

const fix = 'correct the plugin, its options, or pipeline'

/** The pipeline: is every plugin there, does it load, are its options right, and does somebody answer in the end. */
export async function checkPlugins(loaded: LoadedConfig, set: PluginSet, cwd: string): Promise<readonly Finding[]> {
  const { problems, warnings, unanswered } = await judgePlugins(loaded, set, cwd)
  const found = [
    ...problems.map(line => problem(line, fix)),
    ...warnings.map(line => warning(line)),
    ...(unanswered ? [(unanswered.perhaps ? warning : problem)(unanswered.line)] : []),
  ]
  return found.length > 0 ? found : [ok(loaded.config.pipeline.join(' → '))]
}
