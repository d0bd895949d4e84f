import { secretPartOf } from './arguments.ts'
import { looksSecret } from './looks.ts'
import { knownKeys, replaceKeys, seemsKeyInPath, seemsRandom } from './words.ts'

/** What is secret in an address, or in a text that holds one: passwords, and keys in the path and in the query. */
export function secretsInUrl(text: string): string[] {
  if (!text.includes('://')) return []
  const addresses = [...text.matchAll(/[a-z][a-z0-9+.-]*:\/\/\S+/gi)].map(([address]) => address)
  // a text that is one address may have spaces in its password
  const whole = /^\s*[a-z][a-z0-9+.-]*:\/\/.*\s.*@/is.test(text) ? [text.trim()] : []
  return [...whole, ...addresses].flatMap(address => {
    const url = URL.parse(address)
    if (!url) return secretsInBroken(address)
    const { username, password, searchParams, pathname } = url
    const parameters = [...searchParams].flatMap(([name, value]) => (looksSecret(name, value) || seemsRandom(value) ? [value] : []))
    return [...secretsInUser(username, password), ...parameters, ...pathname.split('/').filter(seemsKeyInPath)]
  })
}

function secretsInUser(username: string, password: string): string[] {
  if (password === '') return [username, decoded(username)] // `https://<key>@host`
  const pairs = [`${username}:${password}`, `${decoded(username)}:${decoded(password)}`]
  return [password, decoded(password), ...pairs, ...pairs.map(base64)]
}

/** An address that is none, for the slash in its password: everything between the scheme and the last @. */
function secretsInBroken(address: string): string[] {
  const user = /:\/\/(.*)@/s.exec(address)?.[1] ?? ''
  return [user, user.slice(user.indexOf(':') + 1)]
}

/** A header's value, and what follows the scheme in it: `Bearer <key>`, `Basic <user:password in base64>`. */
export function secretsInHeader(name: string, value: string): string[] {
  if (/^(accept|content-.*|accept-.*|user-agent|origin|(http-)?referer|x-title)$/i.test(name)) return []
  const [scheme, key] = value.trim().split(/\s+/, 2)
  if (key === undefined) return [value]
  if (!/^basic$/i.test(scheme as string)) return [value, key]
  const pair = Buffer.from(key, 'base64').toString()
  return [value, key, pair, pair.slice(pair.indexOf(':') + 1)]
}

/** What is secret in the words of a command: by its place or name, or because it looks like nothing but a key. */
export const secretsInArguments = (items: readonly unknown[]): string[] => {
  const words = items.map(String)
  return words.flatMap((word, index) => {
    const part = secretPartOf(words, index)
    if (!part) return keysIn(word)
    const secret = word.slice(part.at)
    const value = /^[^\s:=]+[:=]\s*(.+)$/s.exec(secret)?.[1]
    if (!part.vague) return [secret]
    return value === undefined || seemsPlain(value) ? [] : [secret, value, value.replace(/^\w+ +/, '')]
  })
}

function keysIn(word: string): string[] {
  const keys: string[] = []
  replaceKeys(word, key => {
    keys.push(key)
    return key
  })
  return [...keys, ...(word.match(knownKeys) ?? [])]
}

/** What variables hold that are no secrets: a word, a number, a path, an address, a locale. */
export const seemsPlain = (text: string): boolean =>
  /^([A-Za-z]{0,20}|[\d.:]{0,20}|([A-Za-z]:)?[~.]{0,2}[\\/].*|[a-z][a-z0-9+.-]*:\/\/.*|[a-z]{2}_[A-Z]{2}.*)$/s.test(text) &&
  !seemsRandom(text)

const base64 = (text: string) => Buffer.from(text).toString('base64')

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
