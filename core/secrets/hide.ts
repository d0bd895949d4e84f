import { decodePercent } from './decode.ts'
import { redacted } from './looks.ts'
import { knownKeys, mayHoldKnownKey } from './words.ts'

/** Puts a placeholder in the place of each secret, and of the beginning of one where the text was cut. */
export const hideAll = (secrets: readonly string[]) => (text: string) =>
  secrets.reduce((before, secret) => hideEnd(before.replaceAll(secret, redacted), secret), text)

/** Long messages are cut, perhaps in the middle of a key. */
function hideEnd(text: string, secret: string): string {
  for (let length = secret.length - 1; length >= shortestPart; length--) {
    if (text.endsWith(secret.slice(0, length))) return text.slice(0, -length) + redacted
  }
  return text
}

/** Fewer characters than this give nothing away, and end many words. */
const shortestPart = 6

/** Keeps secrets out of lines of JSON, and whatever begins as keys do. Percent-encoded ones, too. */
export interface Screen {
  /** The text without them; decoded when that is where one was. */
  hide(text: string): string
  /** The line without them; only its texts are looked at, so that it stays JSON. */
  clear(line: string): string
  /** True when a text may hold one. What was asked before is known: names of models and paths come again and again. */
  finds(text: string): boolean
}

/** Makes a screen. */
export function createScreen(secrets: readonly string[]): Screen {
  const hideSecrets = hideAll(secrets)
  const hidePlain = (text: string) => hideSecrets(text).replace(knownKeys, redacted)
  const hide = (text: string) => {
    const plain = decodePercent(text)
    const hidden = plain === text ? text : hidePlain(plain)
    return hidden === plain ? hidePlain(text) : hidden
  }
  const holdsPlain = (text: string, all: readonly string[]) => mayHoldKnownKey(text) || all.some(secret => text.includes(secret))
  const holds = (text: string, all: readonly string[]) =>
    holdsPlain(text, all) || (text.includes('%') && holdsPlain(decodePercent(text), all))
  const written = secrets.map(secret => JSON.stringify(secret).slice(1, -1))
  // most ids are UUIDs, each a new one, and few secrets could be part of one
  const partOfUuid = secrets.some(secret => /^[0-9a-f-]{1,36}$/.test(secret))
  const free = new Set<string>()
  const visit = (value: unknown): unknown => {
    if (typeof value === 'string') return hide(value)
    if (Array.isArray(value)) return value.map(visit)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [hide(key), visit(inner)]))
  }
  return {
    hide,
    clear(line) {
      if (!holds(line, written)) return line
      const fields = Object.entries(JSON.parse(line) as object)
      // its own names of fields stay, however a key may read
      return `${JSON.stringify(Object.fromEntries(fields.map(([key, value]) => [key, key === 'level' ? value : visit(value)])))}\n`
    },
    finds(text) {
      if (free.has(text) || (!partOfUuid && uuid.test(text))) return false
      if (holds(text, secrets)) return true
      if (free.size === mostKnown) free.clear()
      if (text.length <= longestKnown) free.add(text)
      return false
    },
  }
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const mostKnown = 1000
const longestKnown = 200
