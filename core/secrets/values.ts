import { looksSecret } from './looks.ts'

/** What is secret in an address, or in a text that holds one: passwords, and keys in the path and in the query. */
export function secretsInUrl(text: string): string[] {
  if (!text.includes('://')) return []
  return [...text.matchAll(/[a-z][a-z0-9+.-]*:\/\/\S+/gi)].flatMap(([address]) => {
    const url = URL.parse(address)
    if (!url) return secretsInBroken(address)
    const { username, password, searchParams, pathname } = url
    const parameters = [...searchParams].flatMap(([name, value]) =>
      looksSecret(name) || name === 'key' || seemsRandom(value) ? [value] : [],
    )
    return [...secretsInUser(username, password), ...parameters, ...pathname.split('/').filter(seemsRandom)]
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

/** `--api-key=…`, `--api-key …`, and whatever looks like nothing but a key. */
export const secretsInArguments = (items: readonly unknown[]): string[] =>
  items.flatMap((item, index) => {
    if (typeof item !== 'string') return []
    const [, name, value] = /^-*([A-Za-z][\w-]*)=(.*)$/s.exec(item) ?? []
    if (name !== undefined && value !== undefined && (looksSecret(name) || seemsRandom(value))) return [value]
    const before = items[index - 1]
    const named = typeof before === 'string' && /^-+[A-Za-z][\w-]*$/.test(before) && looksSecret(before) && !item.startsWith('-')
    return named || seemsRandom(item) ? [item] : []
  })

/** Nobody thought this up: a long run of letters and digits, or a UUID. Names of models and paths have shorter ones. */
export const seemsRandom = (text: string): boolean =>
  /(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{16,}/.test(text) || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

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
