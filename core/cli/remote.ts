import { homedir } from 'node:os'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../errors.ts'
import { openRemote, type Remote } from './remote/open-remote.ts'
import { ownPlace } from './remote/own-place.ts'
import { serverPlace } from './remote/server-place.ts'

export type { Remote }

/** Options of every command that speaks to a running gatehouse. */
export const remoteOptions = {
  server: { type: 'string', short: 's' },
  'api-key': { type: 'string', short: 'k' },
  config: { type: 'string', short: 'c' },
  json: { type: 'boolean' },
} as const

/** What the command line says of the gatehouse that is meant. */
export interface RemoteArguments {
  readonly server?: string | undefined
  readonly 'api-key'?: string | undefined
  readonly config?: string | undefined
}

/** Names in the environment; the first that is set counts. The second ones are ModelGate's. */
const serverNames = ['GATEHOUSE_SERVER', 'MODELGATE_SERVER']
const keyNames = ['GATEHOUSE_ADMIN_API_KEY', 'MODELGATE_API_KEY']

/** The gatehouse somewhere else that the command line or the environment names; undefined when they name none. */
export function namedRemote(given: RemoteArguments, env: NodeJS.ProcessEnv, waitMs?: number): Remote | undefined {
  refuseEmpty(given)
  const url = given.server ?? firstOf(env, serverNames)
  return url === undefined ? undefined : openRemote(serverPlace(url, given['api-key'] ?? firstOf(env, keyNames)), waitMs)
}

/** The gatehouse that serves from a data folder of this machine. */
export const ownRemote = async (dataDir: string, given: RemoteArguments, env: NodeJS.ProcessEnv, waitMs?: number): Promise<Remote> =>
  openRemote(await ownPlace(dataDir, given['api-key'], firstOf(env, keyNames)), waitMs)

/** The gatehouse that a command is meant for: the one that is named, else that of the data folder of the config. */
export async function findRemote(given: RemoteArguments, waitMs?: number): Promise<Remote> {
  const { env } = process
  return namedRemote(given, env, waitMs) ?? ownRemote((await loadForCommand(given)).config.data_dir, given, env, waitMs)
}

/** The config as `serve` would read it here. */
export const loadForCommand = ({ config }: RemoteArguments) =>
  loadConfig({ argv: { config }, env: process.env, cwd: process.cwd(), home: homedir() })

/** An empty one is a variable of a script that is not set, and would be taken for none. */
function refuseEmpty(given: RemoteArguments): void {
  for (const name of ['server', 'api-key'] as const) {
    if (given[name]?.trim() === '') throw new ConfigError(`--${name} is empty`)
  }
}

const firstOf = (env: NodeJS.ProcessEnv, names: readonly string[]): string | undefined =>
  names.map(name => env[name]?.trim()).find(value => value)
