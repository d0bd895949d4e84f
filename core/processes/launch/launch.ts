import { resolve } from 'node:path'
import { splitCommand, unusableCommand } from '../command-line.ts'
import { fillIn, type LookUp, type Placeholders } from '../command-placeholders.ts'
import { safeEnvironment } from '../environment.ts'
import { findCommand } from '../find-command.ts'
import { type Door, llamaServerArguments, llamaServerEnvironment } from '../llama-server.ts'
import type { LlamaServerAbilities, Probe } from '../llama-server-help.ts'
import { type LlamaServerKeys, type LlamaServerModel, llamaServerModel } from '../llama-server-settings.ts'

/** How the process of a model is started and stopped, for one start. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  /** All it gets. There is a key in it. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly healthPath: string
  /** What it must be shown with every request. */
  readonly apiKey: string
  /** What ends it, with the same environment and folder; left out, signals do. */
  readonly stop?: { readonly command: string; readonly args: readonly string[] }
  /** Another program listens for it: what needs a command to be stopped lives elsewhere, as a container does. */
  readonly listensElsewhere?: boolean
}

/** What the config says of a model that gatehouse runs. */
export interface LaunchModel extends LlamaServerKeys {
  readonly name: string
  readonly command?: string | undefined
  readonly health?: string | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly cwd?: string | undefined
  readonly stop?: string | undefined
}

/** What a launch depends on beside the model. */
export interface LaunchPlace {
  /** `llama_server_path`; left out, the program is looked for in the PATH. */
  readonly llamaServer?: string | undefined
  /** The environment of gatehouse. What is not needed of it stays here. */
  readonly env: NodeJS.ProcessEnv
  readonly abilities: (probe: Probe) => Promise<LlamaServerAbilities>
}

/**
 * Works out how to start a model behind a door. What stands as `${…}` in its arguments, variables and `stop` is filled in
 * after they were taken apart, so that no value becomes two words. Rejects with a sentence, to be read behind the model's name.
 */
export async function planLaunch(model: LaunchModel, door: Door, place: LaunchPlace): Promise<Launch> {
  const values: Placeholders = { PORT: String(door.port), MODEL_ID: model.name, API_KEY: door.apiKey }
  const lookUp: LookUp = name => place.env[name]
  const fill = (word: string) => fillIn(word, values, lookUp)
  const own = Object.entries(model.env ?? {}).map(([name, value]) => [name, fill(value)] as const)
  const env = { ...safeEnvironment(place.env), PORT: values.PORT, ...Object.fromEntries(own) }
  const words = (line: string, what: string) => {
    const problem = unusableCommand(line)
    if (problem) throw new Error(`its ${what} ${problem}`)
    const [command = '', ...args] = (splitCommand(line) ?? []).map(fill)
    return { command, args }
  }
  const shared = {
    healthPath: model.health ?? '/health',
    apiKey: door.apiKey,
    ...(model.cwd !== undefined && { cwd: model.cwd }),
    ...(model.stop !== undefined && { stop: words(model.stop, 'stop'), listensElsewhere: true }),
  }
  if (model.command !== undefined) return { ...words(model.command, 'command'), env, ...shared }
  const served = llamaServerModel({ ...model, extra_args: model.extra_args?.map(fill) })
  if (!served) throw new Error('has neither a model_path nor a command')
  return { ...(await llamaServer(served, door, env, place)), ...shared }
}

async function llamaServer(model: LlamaServerModel, door: Door, env: Record<string, string>, { llamaServer, abilities }: LaunchPlace) {
  const command = resolve(findServer(llamaServer, env))
  const withLibraries = llamaServerEnvironment(command, env, door)
  const known = await abilities({ command, env: withLibraries })
  return { command, args: llamaServerArguments(model, door, known), env: withLibraries }
}

function findServer(path: string | undefined, env: Record<string, string>): string {
  try {
    return findCommand(path ?? 'llama-server', { env })
  } catch (error) {
    throw new Error(`${(error as Error).message}; llama_server_path says where it is`, { cause: error })
  }
}
