/** What stands where a secret was. */
export const redacted = '<redacted>'

/** LlamaGate's words, and a few it forgot; `-` and `_` are taken out before they are looked for. */
const secretWords = /apikey|accesskey|token|passw|passphrase|secret|auth(?!or(?!iz))|credential|private|cookie|bearer/
/** Tokens that are text and not keys: `max_tokens`, `first_token`, `tokens_per_minute`, `tokenizer`. */
const countedTokens =
  /(?:max|min|num|default|total|prompt|completion|output|input|cached|reasoning|new|used|remaining)tokens?(?![a-z])|firsttoken|tokens?(?:count|limit|budget|per|usage|window|iz)/g
/** Values of `auth` that name a way to ask and are none to enter. */
const authModes = /^(?:auto|required|optional|off|on|none|basic|bearer)$/i

/**
 * True when a setting with this name holds a secret, by the looks of the name. With the value beside it, flags,
 * counts of tokens and `auth: auto` are let through.
 */
export function looksSecret(key: string, value?: unknown): boolean {
  const name = key
    .toLowerCase()
    .replace(/[-_.\s]/g, '')
    .replace(countedTokens, '')
  if (!secretWords.test(name) || typeof value === 'boolean') return false
  if (typeof value === 'number') return !/^[a-z]*tokens?[a-z]*$/.test(name)
  return !(name === 'auth' && typeof value === 'string' && authModes.test(value))
}
