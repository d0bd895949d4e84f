import type { Config } from './config/schema.ts'
import { startsProgram, wordsOf } from './secrets/arguments.ts'
import { looksSecret } from './secrets/looks.ts'
import { secretsInArguments, secretsInHeader, secretsInUrl, seemsPlain } from './secrets/values.ts'

export { createScreen, hideAll } from './secrets/hide.ts'
export { looksSecret, redacted } from './secrets/looks.ts'
export { maskArguments, maskCommand, maskSettings, maskText } from './secrets/mask.ts'
export { maskUrl } from './secrets/mask-url.ts'

/** A value shorter than this is no secret, and would be found inside of words. */
const shortestSecret = 6

/**
 * Everything in the config that nobody else may see, in each spelling it may come back in: keys, header values,
 * passwords in addresses, variables and arguments of other programs, options of plugins that read like a secret.
 * The longest first, because one may begin like another.
 */
export function secretsOf(config: Config): string[] {
  const found = secretsIn(config, '').filter(({ length }) => length >= shortestSecret)
  return [...new Set(found.flatMap(spellings))].sort((a, b) => b.length - a.length)
}

function secretsIn(value: unknown, key: string): string[] {
  if (typeof value === 'string') {
    const inside = [...secretsInUrl(value), ...(startsProgram.test(key) ? secretsInArguments(wordsOf(value)) : [])]
    return looksSecret(key, value) ? [value, ...inside] : inside
  }
  if (typeof value === 'number') return looksSecret(key, value) ? [String(value)] : []
  if (Array.isArray(value)) {
    const inside = value.flatMap(item => secretsIn(item, key))
    return startsProgram.test(key) ? [...inside, ...secretsInArguments(value)] : inside
  }
  if (typeof value !== 'object' || value === null) return []
  const entries = Object.entries(value)
  const inside = entries.flatMap(([name, inner]) => secretsIn(inner, looksSecret(key) ? key : name))
  if (key === 'headers') return [...inside, ...entries.flatMap(([name, text]) => secretsInHeader(name, String(text)))]
  if (key === 'env') return [...inside, ...entries.flatMap(([, text]) => (seemsPlain(String(text)) ? [] : [String(text)]))]
  return inside
}

/** As it is, and as it stands in an address or in JSON. */
function spellings(secret: string): string[] {
  const encoded = secret.isWellFormed() ? encodeURIComponent(secret) : secret
  return [secret, encoded, JSON.stringify(secret).slice(1, -1)]
}
