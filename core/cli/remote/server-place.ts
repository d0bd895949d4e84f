import { ConfigError } from '../../errors.ts'
import type { Place } from './place.ts'

/** A gatehouse that somebody named by its address. Throws a ConfigError when that is none. */
export function serverPlace(given: string, key: string | undefined): Place {
  const url = URL.parse(given.trim())
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError('the server must be an address that begins with http:// or https://, such as http://localhost:11435')
  }
  if (url.search || url.hash || url.username || url.password) {
    throw new ConfigError('the address of the server must have no user, password, query or fragment; its admin key goes into --api-key')
  }
  const name = `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}`
  return {
    name,
    url: name,
    key: key === undefined ? undefined : headerKey(key),
    advice: 'give its admin key with --api-key or GATEHOUSE_ADMIN_API_KEY',
    own: false,
  }
}

/** A key as it can stand in a header. */
export function headerKey(key: string): string {
  const trimmed = key.trim()
  if (/^[\x20-\x7e]+$/.test(trimmed)) return trimmed
  throw new ConfigError('the key has characters that no key has; was something else pasted with it?')
}
