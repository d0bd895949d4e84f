import { redacted } from './looks.ts'
import { seemsKeyInPath } from './words.ts'

/**
 * An address without what may be secret in it: user, password, query, fragment, and keys in its path. Takes text that
 * is no address, and several addresses, too.
 */
export function maskUrl(url: string): string {
  const several = url.split(/(?<=[\s,;|])(?=[a-z][a-z0-9+.-]*:\/\/)/i)
  if (several.length > 1) return several.map(maskUrl).join('')
  const [, host = '', path = '', query] = /^((?:\s*[a-z][a-z0-9+.-]*:\/\/)?[^/?#]*)([^?#]*)([?#].*)?$/is.exec(withoutUser(url)) ?? []
  return host + maskPath(path) + (query === undefined ? '' : query.charAt(0) + redacted)
}

function maskPath(path: string): string {
  // some proxies take the other address as their path
  const inner = path.search(/[a-z][a-z0-9+.-]*:\/\//i)
  if (inner >= 0) return maskPath(path.slice(0, inner)) + maskUrl(path.slice(inner))
  return path
    .split('/')
    .map(part => (seemsKeyInPath(part) ? redacted : part))
    .join('/')
}

function withoutUser(url: string): string {
  const parsed = URL.parse(url)
  if (parsed?.host && !parsed.username && !parsed.password) return url
  const inPlace = /^(\s*[a-z][a-z0-9+.-]*:\/\/)[^/?#\\]*@/i
  if (parsed?.host && inPlace.test(url)) return url.replace(inPlace, `$1${redacted}@`)
  // what cannot be parsed may have an unescaped slash in its password: everything up to the last @ goes
  return url.replace(/^(\s*[a-z][a-z0-9+.-]*:\/\/)?.*@/is, (_, scheme = '') => `${scheme}${redacted}@`)
}
