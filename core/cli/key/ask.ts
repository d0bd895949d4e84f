import { ConfigError } from '../../errors.ts'
import { ownPlace } from '../remote/own-place.ts'
import { type Method, readAnswer } from '../remote/read-answer.ts'
import { serverPlace } from '../remote/server-place.ts'
import { whyUnreachable } from '../remote/why-unreachable.ts'
import { loadForCommand, type Place, type RemoteArguments } from '../remote.ts'
import type { Row } from '../table/texts.ts'

/** A gatehouse that runs, as its administrator sees it. */
export interface Admin {
  /** Its JSON; empty when it answers without any. Throws a ConfigError with one line when it refuses, or is not one. */
  ask(method: Method | 'PUT', path: string, body?: Row): Promise<Row>
}

/** Somebody waits in front of a terminal. */
const usualWaitMs = 30_000

const serverNames = ['GATEHOUSE_SERVER', 'MODELGATE_SERVER']
const keyNames = ['GATEHOUSE_ADMIN_API_KEY', 'MODELGATE_API_KEY']

/** The gatehouse that is meant, as with `findRemote`; this one can be told something, too. */
export async function findAdmin(given: RemoteArguments, waitMs = usualWaitMs): Promise<Admin> {
  const place = await findPlace(given, process.env)
  return {
    async ask(method, path, body) {
      try {
        const response = await send(place, method, path, body, AbortSignal.timeout(waitMs))
        if (response.status === 204 && response.headers.has('x-request-id')) return {}
        return await readAnswer(response, method as Method, path, place) // it only names the method
      } catch (error) {
        if (error instanceof ConfigError) throw error
        const why = whyUnreachable(error, place)
        throw method === 'GET' || neverArrived.includes(codeOf(error))
          ? why
          : new ConfigError(`${why.message}; look whether the change was made all the same`, { cause: error })
      }
    },
  }
}

async function findPlace(given: RemoteArguments, env: NodeJS.ProcessEnv): Promise<Place> {
  // a variable of a script that is not set would be taken for none
  for (const name of ['server', 'api-key'] as const) {
    if (given[name]?.trim() === '') throw new ConfigError(`--${name} is empty`)
  }
  const firstOf = (names: readonly string[]) => names.map(name => env[name]?.trim()).find(Boolean)
  const url = given.server ?? firstOf(serverNames)
  if (url !== undefined) return serverPlace(url, given['api-key'] ?? firstOf(keyNames))
  return ownPlace((await loadForCommand(given)).config.data_dir, given['api-key'], firstOf(keyNames))
}

const send = ({ url, key, own }: Place, method: string, path: string, body: Row | undefined, signal: AbortSignal) =>
  fetch(`${url}${path}`, {
    method,
    signal,
    redirect: 'manual', // the key stays with whom it was meant for
    keepalive: false,
    headers: {
      accept: 'application/json',
      ...(key !== undefined && { 'x-api-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(own && { proxy: false, tls: { rejectUnauthorized: false } }),
  } as RequestInit)

const codeOf = (error: unknown): string => String((error as { readonly code?: unknown }).code)

/** After these nobody can have begun to work on it. */
const neverArrived: readonly string[] = [
  'ECONNREFUSED',
  'ConnectionRefused',
  'FailedToOpenSocket',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
]
