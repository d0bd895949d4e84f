import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { withoutKeys } from './llama-server-arguments.ts'
import type { LlamaServerAbilities } from './llama-server-help.ts'
import { type LlamaServerModel, settingsOf } from './llama-server-settings.ts'

/** Where a process must listen, and what it must ask of those who call it. */
export interface Door {
  readonly port: number
  readonly apiKey: string
}

/** More layers than any model has: llama.cpp takes as many as there are. Its own -1 once meant all, and now means as many as fit. */
const allLayers = 999

/**
 * The arguments of a llama-server. `extra_args` come last, and what llama-server reads twice it takes from there,
 * but for keys: the only one is ours. Every slot
 * has the whole context: with one cache that they share when the program knows that, else with as many times the cache.
 */
export function llamaServerArguments(model: LlamaServerModel, { port, apiKey }: Door, abilities: LlamaServerAbilities): string[] {
  const { contextArgument, unified } = settingsOf(model, abilities.unifiedCache)
  return [
    ...['-m', model.model_path, '--host', '127.0.0.1', '--port', String(port)],
    ...['-ngl', String(model.gpu_layers < 0 ? allLayers : model.gpu_layers)],
    ...['-c', String(contextArgument), '-b', String(model.batch_size)],
    ...(model.threads > 0 ? ['-t', String(model.threads)] : []),
    ...['-np', String(model.slots)],
    ...(unified && abilities.unifiedCache ? ['--kv-unified'] : []),
    ...(abilities.keyFromEnvironment ? [] : ['--api-key', apiKey]),
    ...withoutKeys(model.extra_args),
  ]
}

/**
 * The environment of a llama-server: its key, and the folder of the program in front of the library path, because the
 * libraries of a build lie beside it. When the program is a link, the folder of what it leads to, too.
 */
export function llamaServerEnvironment(
  command: string,
  env: Readonly<Record<string, string>>,
  { apiKey }: Pick<Door, 'apiKey'>,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const withKey = { ...env, LLAMA_API_KEY: apiKey }
  if (platform === 'win32') return withKey // looks beside the program by itself
  const name = platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH'
  const folders = new Set([dirname(command), dirname(realpathSync(command))])
  return { ...withKey, [name]: [...folders, ...(env[name] ? [env[name]] : [])].join(':') }
}
