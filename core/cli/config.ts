import { homedir } from 'node:os'
import { configJsonSchema } from '../config/json-schema.ts'
import { loadConfig } from '../config/load.ts'
import { showConfig } from '../config/show.ts'
import { ConfigError } from '../errors.ts'
import { readArguments, takesNothing, wrongWord } from './arguments.ts'
import { configLines } from './config-lines.ts'
import { configHelp } from './help.ts'
import { judgePlugins, type PluginSet } from './judge-plugins.ts'
import { print, printError } from './output.ts'

/** `gatehouse config check` and `gatehouse config schema`. */
export async function configCommand(args: readonly string[], plugins: PluginSet): Promise<void> {
  const { values, positionals } = readArguments('config', args, { config: { type: 'string', short: 'c' }, json: { type: 'boolean' } })
  if (values.help) return print(configHelp)
  const [task, ...rest] = positionals
  if (task !== 'check' && task !== 'schema') {
    const not = task === undefined ? '' : `, not "${task}"`
    throw wrongWord(`config needs check or schema${not}`, task ?? '', ['check', 'schema'], 'gatehouse config --help says what they do')
  }
  takesNothing('config', rest)
  return task === 'check' ? check(values.config, values.json === true, plugins) : print(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
}

async function check(given: string | undefined, json: boolean, plugins: PluginSet): Promise<void> {
  const cwd = process.cwd()
  const loaded = await loadConfig({ argv: { config: given }, env: process.env, cwd, home: homedir() })
  const judged = await judgePlugins(loaded, plugins, cwd)
  if (judged.problems.length > 0) throw new ConfigError(judged.problems.join('\n'))
  const { config, sources, file, format, notes } = loaded
  const warnings = [...loaded.warnings, ...judged.warnings, ...(judged.unanswered ? [judged.unanswered.line] : [])]
  const shown = showConfig(config)
  await printError(warnings.map(warning => `gatehouse: warning: ${warning}\n`).join(''))
  if (!json) return print(`${configLines(shown, loaded).join('\n')}\n`)
  const report = { config: shown, sources: Object.fromEntries(sources), file: file ?? null, format: format ?? null, notes, warnings }
  return print(`${JSON.stringify(report, null, 2)}\n`)
}
