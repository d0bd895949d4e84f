import { homedir } from 'node:os'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../errors.ts'
import { ownPlace } from './remote/own-place.ts'
import { type Method, readAnswer } from './remote/read-answer.ts'
import { serverPlace } from './remote/server-place.ts'
import { whyUnreachable } from './remote/why-unreachable.ts'

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

/** Where a gatehouse is, and how one enters as its administrator. */
export interface Place {
  /** For messages. */
  readonly name: string
  /** Without a slash at its end. */
  readonly url: string
  /** Undefined where nobody gave one. */
  readonly key: string | undefined
  /** What it would take to be let in, for messages. */
  readonly advice: string
  /** Its address comes from its own note on this machine: no proxy leads there, and its certificate is made for other names. */
  readonly own: boolean
}

/** A gatehouse that runs, as commands see it. */
export interface Remote {
  /** Its JSON. Throws a ConfigError with one line when there is none: not running, not let in, not a gatehouse. */
  ask(method: Method, path: string): Promise<Readonly<Record<string, unknown>>>
}

/** Somebody waits in front of a terminal. */
const longestWaitMs = 30_000

/** Names in the environment; the first that is set counts. The second ones are ModelGate's. */
const serverNames = ['GATEHOUSE_SERVER', 'MODELGATE_SERVER']
const keyNames = ['GATEHOUSE_ADMIN_API_KEY', 'MODELGATE_API_KEY']

/** The gatehouse somewhere else that the command line or the environment names; undefined when they name none. */
export function namedRemote(given: RemoteArguments, env: NodeJS.ProcessEnv): Remote | undefined {
  refuseEmpty(given)
  const url = given.server ?? firstOf(env, serverNames)
  return url === undefined ? undefined : openRemote(serverPlace(url, given['api-key'] ?? firstOf(env, keyNames)))
}

/** The gatehouse that serves from a data folder of this machine. */
export const ownRemote = async (dataDir: string, given: RemoteArguments, env: NodeJS.ProcessEnv): Promise<Remote> =>
  openRemote(await ownPlace(dataDir, given['api-key'], firstOf(env, keyNames)))

/** The gatehouse that a command is meant for: the one that is named, else that of the data folder of the config. */
export async function findRemote(given: RemoteArguments): Promise<Remote> {
  const { env } = process
  return namedRemote(given, env) ?? ownRemote((await loadForCommand(given)).config.data_dir, given, env)
}

/** The config as `serve` would read it here. */
export const loadForCommand = ({ config }: RemoteArguments) =>
  loadConfig({ argv: { config }, env: process.env, cwd: process.cwd(), home: homedir() })

function openRemote(place: Place): Remote {
  const { url, key, own } = place
  return {
    async ask(method, path) {
      const signal = AbortSignal.timeout(longestWaitMs)
      try {
        const response = await fetch(`${url}${path}`, {
          method,
          signal,
          redirect: 'manual', // the key stays with whom it was meant for
          keepalive: false,
          headers: { accept: 'application/json', ...(key !== undefined && { 'x-api-key': key }) },
          ...(own && { proxy: false, tls: { rejectUnauthorized: false } }),
        } as RequestInit)
        return await readAnswer(response, method, path, place)
      } catch (error) {
        throw error instanceof ConfigError ? error : whyUnreachable(error, place)
      }
    },
  }
}

/** An empty one is a variable of a script that is not set, and would be taken for none. */
function refuseEmpty(given: RemoteArguments): void {
  for (const name of ['server', 'api-key'] as const) {
    if (given[name]?.trim() === '') throw new ConfigError(`--${name} is empty`)
  }
}

const firstOf = (env: NodeJS.ProcessEnv, names: readonly string[]): string | undefined =>
  names.map(name => env[name]?.trim()).find(value => value)
