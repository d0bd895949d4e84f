import { isMapping } from '../../config/tree.ts'
import { ConfigError } from '../../errors.ts'
import { readAtMost } from '../../http/limited.ts'
import { clean } from '../../log/clean.ts'
import { hideAll } from '../../secrets.ts'
import type { Place } from './place.ts'

/** What commands do. */
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** What is sent and answered: JSON with names. */
export type Mapping = Readonly<Record<string, unknown>>

/** No answer of the admin API is longer. */
const longest = 16 * 1024 * 1024
const longestMessage = 500

/** The JSON of an answer; empty for a 204. Throws a ConfigError when there is none: refused, failed, or not a gatehouse. */
export async function readAnswer(response: Response, method: Method, path: string, place: Place): Promise<Mapping> {
  const { status, headers } = response
  if (status >= 300 && status < 400) throw new ConfigError(`${place.name} answers with a redirect${whereTo(headers, place)}`)
  if (status === 204 && headers.has('x-request-id')) return {}
  const body = parse(await readAtMost(response.body, longest))
  // what gatehouse answers has an id
  if (body === undefined || !headers.has('x-request-id')) throw stranger(response, place)
  if (response.ok) return body
  const { message, code } = isMapping(body.error) ? body.error : {}
  if (typeof message !== 'string') throw stranger(response, place)
  throw new ConfigError(refusal(status, code, safe(message, place), `${method} ${path.replace(/\?.*$/s, '')}`, place))
}

function refusal(status: number, code: unknown, message: string, asked: string, { name, key, advice }: Place): string {
  if (status === 401)
    return `${name} asks for a key, and ${key === undefined ? 'none was given' : 'this one is not known there'}; ${advice}`
  if (code === 'admin_only') return `${name} lets only its administrator do this, and this key is not the admin key`
  if (status === 404 && code === 'unknown_url')
    return `${name} has no ${asked}: it is of another release, or without the plugin that brings it`
  return `${name}: ${message}`
}

const stranger = ({ status, headers }: Response, { name }: Place) => {
  const type = headers.get('content-type')?.replace(/;.*$/s, '')
  return new ConfigError(`what answers at ${name} is not a gatehouse (status ${status}${type ? `, ${clean(type)}` : ''})`)
}

/** To another scheme or host; of the rest nobody can tell what is in it. */
function whereTo(headers: Headers, { url }: Place): string {
  const to = URL.parse(headers.get('location') ?? '', url)
  return to && to.origin !== 'null' && to.origin !== new URL(url).origin ? ` to ${to.origin}; name that one, if you trust it` : ''
}

/** Words of a server, for a terminal: one line, without the key. */
const safe = (message: string, { key }: Place): string => clean(hideAll(key === undefined ? [] : [key])(message.slice(0, longestMessage)))

function parse(bytes: Uint8Array | undefined): Mapping | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return isMapping(value) ? value : undefined
  } catch {
    return undefined
  }
}
