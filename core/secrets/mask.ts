import { secretPartOf, startsProgram, withWords, wordsOf } from './arguments.ts'
import { looksSecret, redacted } from './looks.ts'
import { maskUrl } from './mask-url.ts'
import { knownKeys, replaceKeys } from './words.ts'

/** Names of mappings whose every value may be a secret, whatever its name. */
const allSecret = /^(headers|env)$/i

/**
 * A copy of settings that may be shown: no secret, wherever it stands. Masked are values with a name that looks
 * secret, every header and environment variable, what is secret in an address or in the arguments of a program, and
 * words that look like keys; and wherever one of `secrets` stands a second time.
 */
export function maskSettings(settings: unknown, secrets: readonly string[] = []): unknown {
  const show = (text: string) => secrets.reduce((shown, secret) => shown.replaceAll(secret, redacted), text)
  const walk = (value: unknown, name: string): unknown => {
    if (allSecret.test(name) || looksSecret(name, value)) return hide(value)
    if (Array.isArray(value))
      return areArguments(name, value) ? maskArguments(value.map(String)).map(show) : value.map(item => walk(item, ''))
    if (typeof value === 'object' && value !== null) return mapValues(value, walk)
    if (value === Number.POSITIVE_INFINITY) return 'none' // JSON has no word for it
    if (typeof value !== 'string') return value
    return show(startsProgram.test(name) || /(?:^|\s)--?[A-Za-z]/.test(value) ? maskCommand(value) : maskWords(maskText(value)))
  }
  return walk(settings, '')
}

const areArguments = (name: string, items: readonly unknown[]): boolean =>
  items.every(item => typeof item !== 'object') &&
  (startsProgram.test(name) || items.some(item => typeof item === 'string' && /^--?[A-Za-z]/.test(item)))

/** The names stay, and what is not set is seen not to be. */
function hide(value: unknown): unknown {
  if (value === undefined || value === null || value === '') return value
  return typeof value === 'object' ? mapValues(value, hide) : redacted
}

function mapValues(value: object, change: (value: unknown, name: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map(item => change(item, ''))
  // some keep keys the other way round: `{ <key>: <its owner> }`
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [maskWords(name), change(item, name)]))
}

/** A command as one text, its spaces kept. */
export const maskCommand = (command: string): string => withWords(command, maskArguments(wordsOf(command)))

/** The arguments of a program: `--api-key x`, `--token=x`, `TOKEN=x`, `-H "Authorization: x"`, and whatever looks like a key by itself. */
export function maskArguments(words: readonly string[]): string[] {
  return words.map((word, index) => {
    const secret = secretPartOf(words, index)
    if (secret) return word.slice(0, secret.at) + redacted
    // some words are commands themselves: `sh -c "curl --key x"`
    const shown = /\s--?[A-Za-z]/.test(word) ? maskCommand(word) : word
    const [, name = '', value = ''] = /^(-{0,2}[\w.-]+=)?(.*)$/s.exec(shown) ?? []
    return maskWords(name + maskText(value))
  })
}

/** Words that look like keys, wherever they stand. */
const maskWords = (text: string): string => replaceKeys(text, () => redacted)

/** Addresses, connection strings, header lines and keys inside of a text. */
export const maskText = (text: string): string =>
  maskHeaderLine(isAddress.test(text) ? maskUrl(text) : text)
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/(?:[^\s/?#]*@)?[^\s"']+/gi, maskUrl)
    .replace(/\bBearer +[\w.~+/=-]+|\bBasic +[\w.~+/=-]{4,}/gi, redacted)
    .replace(/([\w.-]+)\s*=\s*("[^"]*"|'[^']*'|[^\s;,&"']+)/g, maskAssignment)
    .replace(/\b[^\s:@/"']+:[^\s/"']+@(?=[\w.[(-])/g, `${redacted}@`)
    .replace(knownKeys, redacted)

/** All of it is one: a password may hold quotes and spaces. */
const isAddress = /^\s*[a-z][a-z0-9+.-]*:\/\//i

const maskAssignment = (whole: string, name: string, value: string) =>
  looksSecret(name, value.replace(/^(["'])(.*)\1$/s, '$2')) ? `${name}=${redacted}` : whole

/** `X-API-Key: …`: where it ends nobody knows, so all the rest goes. */
function maskHeaderLine(text: string): string {
  for (const {
    index,
    0: { length },
    1: name = '',
  } of text.matchAll(/([\w.-]+):(?!\/\/)\s*(?=\S)/g)) {
    if (looksSecret(name, text.slice(index + length))) return `${text.slice(0, index)}${name}: ${redacted}`
  }
  return text
}
