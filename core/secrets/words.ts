const knownKey = /(?:[spr]k[-_]|gh[opsur]_|github_pat_|glpat-|xox[a-z]-|hf_|gsk_|npm_|pypi-|dop_v1_|AIza|A[KS]IA|eyJ)[A-Za-z0-9][\w.-]{15,}/
/** Keys that say what they are by the way they begin, wherever they stand. */
export const knownKeys = new RegExp(`(?<![A-Za-z0-9])${knownKey.source}`, 'g')
/** True for a text that may hold one. Also in JSON, where the letter of `\\n` may stand before it. */
export const mayHoldKnownKey = (text: string): boolean => knownKey.test(text)

/** Nobody thought this up: a long run of letters and digits, or a UUID. Names of models and paths have shorter ones. */
export const seemsRandom = (text: string): boolean =>
  /(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{16,}/.test(text) || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

const folders = /^(?!.*=$)(?:~|\.{1,2})?(?:[\\/][^\\/]+){2,}[\\/]?$|^(?:~|\.{1,2})[\\/]|^[A-Za-z]:[\\/]/
const oneFolder = /^[\\/][^\\/]*[\\/]?$/
const fileName =
  /\.(?:gguf|bin|safetensors|onnx|json|jsonl|ya?ml|toml|ini|env|[cm]?[jt]sx?|py|sh|rb|jar|exe|jinja|md|txt|csv|log|sock|sqlite|db|pem|crt|cer|key|p12|pfx)$/i

/** A path, as far as one can be told from base64, which has slashes too. */
export const seemsPath = (text: string): boolean =>
  folders.test(text) || (fileName.test(text) && !/\s/.test(text)) || (oneFolder.test(text) && !seemsRandom(text))

/** Words of this length are keys unless they read like something else. */
const longWord = 20

/**
 * For texts of other programs, where nobody knows what a word is: true for a random run of letters and digits, and for
 * any long word that is no path, no flag and does not read like the name of a model, a package or a host.
 */
export function seemsKey(word: string): boolean {
  if (seemsPath(word) || packageName.test(word)) return false
  return seemsRandom(word) || (word.length >= longWord && !flag.test(word) && !readsLikeName(word))
}

/** A part of an address: as long as it is not only a name, it may be the key of a hook. */
export const seemsKeyInPath = (part: string): boolean => seemsRandom(part) || seemsKey(part)

const packageName = /^@[a-z0-9-]+\/[a-z0-9._-]+(?:@[\w.^~-]+)?$/
const flag = /^--?[A-Za-z]+(?:-[A-Za-z]+)*$/

/** `Qwen3`, `coder`, `32b`, `q4`, `2507`: what names are made of. */
const partOfName = /^(?:[a-z]{1,16}|[A-Za-z]{1,14}\d{0,3}|\d{1,8}|[A-Za-z0-9]{1,6})$/

function readsLikeName(word: string): boolean {
  const text = word.replace(/%[0-9a-f]{2}/gi, '-') // as it stands in an address
  // what is not ASCII is a text in another script, and no part of a key
  if (/[^\w.:@/+~*\\$-]/.test(text.replace(/[^ -~]/g, '-'))) return false
  const parts = text.split(/[^A-Za-z0-9]+/).filter(Boolean)
  const lengths = new Set(parts.map(({ length }) => length))
  const serialNumber = parts.length > 2 && lengths.size === 1 && !lengths.has(1) && !lengths.has(2) && !lengths.has(3)
  const hasWord = parts.some(part => /[A-Za-z]{3}/.test(part)) || parts.every(part => /^\d+(?:T\d+)?Z?$/.test(part))
  return !serialNumber && hasWord && parts.every(part => partOfName.test(part))
}

/** The words of a text that may be keys; not those of addresses, whose form says what is secret in them. */
export const replaceKeys = (text: string, replace: (key: string) => string): string =>
  text.replace(/[a-z][a-z0-9+.-]*:\/\/\S+|[^\s"'`(){}[\]<>,;|]{16,}/gi, word => {
    if (word.includes('://')) return word
    const value = word.search(/=(?!=*$)/) + 1 // of `name=value`; base64 ends with others
    return seemsKey(word.slice(value)) ? word.slice(0, value) + replace(word.slice(value)) : word
  })
