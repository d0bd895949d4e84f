import { redacted } from './looks.ts'
import { seemsRandom } from './values.ts'

/**
 * An address without what may be secret in it: user, password, query, fragment, and keys in its path. Takes text that
 * is no address, too.
 */
export function maskUrl(url: string): string {
  const [, host = '', path = ''] = /^((?:[a-z][a-z0-9+.-]*:\/\/)?[^/?#]*)(.*)$/is.exec(withoutUser(url)) ?? []
  const parts = path.replace(/([?#]).*$/s, `$1${redacted}`).split('/')
  return host + parts.map(part => (seemsRandom(part) ? redacted : part)).join('/')
}

function withoutUser(url: string): string {
  const parsed = URL.parse(url)
  if (parsed?.host && !parsed.username && !parsed.password) return url
  const inPlace = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#\\]*@/i
  if (parsed?.host && inPlace.test(url)) return url.replace(inPlace, `$1${redacted}@`)
  // what cannot be parsed may have an unescaped slash in its password: everything up to the last @ goes
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, (_, scheme = '') => `${scheme}${redacted}@`)
}
