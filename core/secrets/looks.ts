import { seemsPath } from './words.ts'

/** What stands where a secret was. */
export const redacted = '<redacted>'

/** LlamaGate's words, and a few it forgot; `-` and `_` are taken out before they are looked for. */
const secretWords = /apikey|accesskey|token|passw|passphrase|passcode|secret|auth(?!or(?!iz))|credential|private|cookie|bearer/
/** Tokens that are text and not keys: `max_tokens`, `first_token`, `tokens_per_minute`, `tokenizer`. */
const countedTokens =
  /(?:max|min|num|default|total|prompt|completion|output|input|cached|reasoning|new|used|remaining)tokens?(?![a-z])|firsttoken|tokens?(?:count|limit|budget|per|usage|window|iz)/g
/** Values of `auth` that name a way to ask and are none to enter. */
const authModes = /^(?:auto|required|optional|off|on|none|basic|bearer)$/i

/** Words that are secret at the end of a name: `pass`, `PGPASS`, `db_pwd`. */
const passAtEnd = /(?<!by|com|sur|tres|low|high|band|multi|single|two)(?:pass|pwd)\d*$/
/** `key`, `ssl_key`; not keys to sort by, and not `key_file`. */
const keyAtEnd =
  /(?<!mon|tur|don|hoc|hot|public|primary|foreign|partition|sort|order|group|cache|shard|index|row|lookup|map|field|object|json|routing|by|short)(key|keys)\d*$/
/** Only as words of their own: `compat` and `format` end like one of them. */
const wordAtEnd = /(?:^|[-_.\s])(dsn|pat|licen[cs]e|jwt|psk)\d*$/i
/** What a `license` is when it is no key. */
const openLicence = /^(?:apache|mit|bsd|isc|[al]?gpl|mpl|epl|cc|llama|gemma|proprietary|unlicense)\b/i

/**
 * True when a setting with this name holds a secret, by the looks of the name. With the value beside it, flags,
 * counts of tokens and of keys, paths of keys and `auth: auto` are let through.
 */
export function looksSecret(key: string, value?: unknown): boolean {
  if (typeof value === 'boolean') return false
  const name = key
    .toLowerCase()
    .replace(/[-_.\s]/g, '')
    .replace(countedTokens, '')
  if (!secretWords.test(name)) return endsSecret(key, name, value)
  if (typeof value === 'number') return !/^[a-z]*tokens?[a-z]*$/.test(name)
  return !(name === 'auth' && typeof value === 'string' && authModes.test(value))
}

/** The short words mean something else in the middle of a name, and with many values. */
function endsSecret(key: string, name: string, value: unknown): boolean {
  const keyWord = keyAtEnd.exec(name)?.[1]
  const other = passAtEnd.test(name) ? 'pass' : wordAtEnd.exec(key.replace(/([a-z])([A-Z])/g, '$1_$2'))?.[1]
  if (keyWord === undefined && other === undefined) return false
  if (typeof value === 'number') return keyWord !== 'keys' && Math.abs(value) >= 100_000
  if (typeof value !== 'string') return true
  if (/^licen/i.test(other ?? '') && openLicence.test(value)) return false
  if (keyWord !== undefined && /^\d{1,5}$/.test(value)) return false
  return !((keyWord !== undefined || /pwd\d*$/.test(name)) && seemsPath(value))
}
