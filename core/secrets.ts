import type { Config } from './config/schema.ts'

/** A value shorter than this is no secret, and would be found inside of words. */
const shortestSecret = 6

/** What a backend might repeat of what the config gave it: keys, header values, passwords in addresses. */
export function secretsOf({ api_key, admin, backends }: Config): string[] {
  const given = Object.values(backends).flatMap(entry =>
    entry.type === 'echo' ? [] : [entry.api_key, ...Object.values(entry.headers), decodeURIComponent(new URL(entry.base_url).password)],
  )
  return [api_key, admin.api_key, ...given].filter(secret => secret !== undefined).filter(({ length }) => length >= shortestSecret)
}

/** Puts a placeholder in the place of each. */
export const hideAll = (secrets: readonly string[]) => (message: string) =>
  secrets.reduce((text, secret) => text.replaceAll(secret, '<secret>'), message)
