import type { Config } from './config/schema.ts'

/** A value shorter than this is no secret, and would be found inside of words. */
const shortestSecret = 6

/** What a backend might repeat of what the config gave it: keys, header values, passwords in addresses. */
export function secretsOf({ api_key, admin, backends }: Config): string[] {
  const given = Object.values(backends).flatMap(entry =>
    entry.type === 'echo' ? [] : [entry.api_key, ...Object.values(entry.headers), ...passwordOf(entry.base_url)],
  )
  return [api_key, admin.api_key, ...given]
    .filter(secret => secret !== undefined)
    .filter(({ length }) => length >= shortestSecret)
    .sort((a, b) => b.length - a.length) // one may begin like another
}

/** Puts a placeholder in the place of each. */
export const hideAll = (secrets: readonly string[]) => (message: string) =>
  secrets.reduce((text, secret) => text.replaceAll(secret, '<secret>'), message)

/** As it is written, and decoded where that can be done. */
function passwordOf(address: string): string[] {
  const { password } = new URL(address)
  try {
    return [password, decodeURIComponent(password)]
  } catch {
    return [password]
  }
}
