import { looksSecret, redacted } from './looks.ts'
import { maskUrl } from './mask-url.ts'

/** Names of mappings whose every value may be a secret, whatever its name. */
const allSecret = /^(headers|env)$/i

/** Lists and lines of words that start a program. */
const commandLine = /^(args|extra_?args|command)$/i

/**
 * A copy of settings that may be shown: no secret, wherever it stands. Masked are values with a name that looks
 * secret, every header and environment variable, what is secret in an address, and what follows a secret-looking
 * flag in a command line; and wherever one of `secrets` stands a second time.
 */
export function maskSettings(settings: unknown, secrets: readonly string[] = []): unknown {
  const show = (text: string) => secrets.reduce((shown, secret) => shown.replaceAll(secret, redacted), text)
  const walk = (value: unknown, name: string): unknown => {
    if (allSecret.test(name) || looksSecret(name, value)) return hide(value)
    if (Array.isArray(value)) return commandLine.test(name) ? maskArguments(value.map(String)).map(show) : value.map(item => walk(item, ''))
    if (typeof value === 'object' && value !== null) return mapValues(value, walk)
    if (value === Number.POSITIVE_INFINITY) return 'none' // JSON has no word for it
    if (typeof value !== 'string') return value
    return show(commandLine.test(name) ? maskCommand(value) : maskText(value))
  }
  return walk(settings, '')
}

/** The names stay, and what is not set is seen not to be. */
function hide(value: unknown): unknown {
  if (value === undefined || value === null || value === '') return value
  return typeof value === 'object' ? mapValues(value, hide) : redacted
}

function mapValues(value: object, change: (value: unknown, name: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map(item => change(item, ''))
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, change(item, name)]))
}

/** A command as one text, its spaces kept. */
export function maskCommand(command: string): string {
  const words = command.match(/"[^"]*"|'[^']*'|\S+/g) ?? []
  const masked = maskArguments(words)
  let at = -1
  return command.replace(/"[^"]*"|'[^']*'|\S+/g, () => masked[++at] as string)
}

/** The arguments of a program: `--api-key x`, `--token=x`, `TOKEN=x`, `-H "Authorization: x"`, and whatever looks like a key by itself. */
export function maskArguments(words: readonly string[]): string[] {
  return words.map((word, i) => {
    const flag = words[i - 1]?.match(/^--?([\w.-]+)$/)?.[1]
    if (flag !== undefined && !word.startsWith('--') && (looksSecret(flag, word) || /^(H|header|env|e|u|user)$/.test(flag))) return redacted
    return maskText(word)
  })
}

/** Addresses, connection strings, header lines and keys inside of a text. */
export const maskText = (text: string): string =>
  maskHeaderLine(text)
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"']+/gi, maskUrl)
    .replace(/\b(?:Bearer|Basic) +[\w.~+/=-]{8,}/gi, redacted)
    .replace(/([\w.-]+)\s*=\s*("[^"]*"|'[^']*'|[^\s;,&"']+)/g, (whole, name: string) => (looksSecret(name) ? `${name}=${redacted}` : whole))
    .replace(/\b[^\s:@/"']+:[^\s@/"']+@(?=[\w.[(-])/g, `${redacted}@`)
    .replace(/\b(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[abprs]|hf|gsk|AKIA|eyJ)[-_]?[A-Za-z0-9][\w.-]{15,}/g, redacted)

/** `X-API-Key: …`: where it ends nobody knows, so all the rest goes. */
function maskHeaderLine(text: string): string {
  for (const { index, 1: name = '' } of text.matchAll(/([\w.-]+):(?!\/\/)\s*(?=\S)/g)) {
    if (looksSecret(name)) return `${text.slice(0, index)}${name}: ${redacted}`
  }
  return text
}
