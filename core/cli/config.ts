import { homedir } from 'node:os'
import { configJsonSchema } from '../config/json-schema.ts'
import { loadConfig } from '../config/load.ts'
import { showConfig } from '../config/show.ts'
import { ConfigError } from '../errors.ts'
import { print, readArguments, takesNothing } from './arguments.ts'
import { configLines } from './config-lines.ts'
import { configHelp } from './help.ts'

/** `gatehouse config check` and `gatehouse config schema`. */
export async function configCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args, { config: { type: 'string', short: 'c' }, json: { type: 'boolean' } })
  if (values.help) return print(configHelp)
  const [task, ...rest] = positionals
  if (task !== 'check' && task !== 'schema') {
    throw new ConfigError(
      `config needs check or schema${task === undefined ? '' : `, not "${task}"`}; gatehouse config --help says what they do`,
    )
  }
  takesNothing('config', rest)
  return task === 'check' ? check(values.config, values.json === true) : print(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
}

async function check(given: string | undefined, json: boolean): Promise<void> {
  const loaded = await loadConfig({ argv: { config: given }, env: process.env, cwd: process.cwd(), home: homedir() })
  const { config, sources, file, format, notes, warnings } = loaded
  const shown = showConfig(config)
  for (const warning of warnings) process.stderr.write(`gatehouse: warning: ${warning}\n`)
  if (!json) return print(`${configLines(shown, loaded).join('\n')}\n`)
  const report = { config: shown, sources: Object.fromEntries(sources), file: file ?? null, format: format ?? null, notes, warnings }
  return print(`${JSON.stringify(report, null, 2)}\n`)
}
