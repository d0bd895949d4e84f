import * as v from 'valibot'
import { parseBaseUrl, parseHostName, parseListenHost, parseNetwork, parseOrigin } from './address.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { parseSize } from './size.ts'
import { isMapping } from './tree.ts'

/**
 * One value of the config file. `read` turns what was written, often text from the environment, into what
 * the program uses and answers undefined when it cannot; `what` completes the sentence "must be …".
 */
const setting = <T>(what: string, read: (value: unknown) => T | undefined, show: (value: unknown) => string = showValue) =>
  v.pipe(
    v.unknown(),
    v.rawTransform<unknown, T>(({ dataset, addIssue, NEVER }) => {
      const value = read(dataset.value)
      if (value !== undefined) return value
      addIssue({ message: `must be ${what}${show(dataset.value)}` })
      return NEVER
    }),
  )

const fromText =
  <T>(read: (text: string) => T | undefined) =>
  (value: unknown) =>
    typeof value === 'string' ? read(value) : undefined

/** Text that is not empty. A number is refused, because YAML has already dropped the zeros in front of it. */
export const text = setting(
  'text (a number or a date in quotes)',
  fromText(value => value.trim() || undefined),
)

/** Text that must never be printed; empty means there is none. */
export const secret = v.pipe(
  setting(
    'text in quotes',
    fromText(value => value),
    () => '',
  ),
  v.transform(value => value.trim() || undefined),
)

/** A whole number within limits. */
export const integer = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  setting(max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`, value => {
    const number = readNumber(value)
    return Number.isSafeInteger(number) && number >= min && number <= max ? number : undefined
  })

/** A number greater than zero. */
export const positiveNumber = setting('a number greater than 0', value => {
  const number = readNumber(value)
  return number > 0 && number < Number.POSITIVE_INFINITY ? number : undefined
})

/** A number that is zero or more. */
export const share = setting('a number from 0', value => {
  const number = readNumber(value)
  return number >= 0 && number < Number.POSITIVE_INFINITY ? number : undefined
})

const truths: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
}

/** Yes or no, in any of the spellings people use. */
export const flag = setting('true or false', value => truths[String(value).trim().toLowerCase()])

/** One of a few words. */
export const choice = <const Word extends string>(...words: readonly Word[]) =>
  setting(
    words.length === 1 ? `${words[0]} (the only one there is)` : `one of ${words.join(', ')}`,
    fromText(value => words.find(word => word === value.trim().toLowerCase())),
  )

// setTimeout fires at once for anything longer than 2^31 - 1 ms.
const longest = 24 * 24 * 3_600_000

/** How a duration is bounded; `none` also allows Infinity. */
interface DurationLimits {
  readonly atMost?: number
  readonly zero?: boolean
  readonly none?: boolean
}

/** A duration greater than zero, in milliseconds. */
export const duration = ({ atMost = longest, zero = false, none = false }: DurationLimits = {}) =>
  setting(
    `a duration such as 30s or 1m30s${none ? ', or none,' : ','} ${zero ? '' : 'longer than 0s and '}at most ${formatDuration(atMost)}`,
    value => {
      const ms = readDuration(value)
      if (ms === Number.POSITIVE_INFINITY) return none ? ms : undefined
      return ms !== undefined && ms <= atMost && (zero ? ms >= 0 : ms > 0) ? ms : undefined
    },
  )

/** A duration for which zero and less mean the given default; LlamaGate's habit. */
export const durationOr = (fallbackMs: number) =>
  setting(`a duration such as 30s or 1m30s, at most ${formatDuration(longest)}`, value => {
    const ms = readDuration(value)
    if (ms === undefined || ms > longest) return undefined
    return ms > 0 ? ms : fallbackMs
  })

/** A number of bytes, `32MiB` style text included. */
export const bytes = setting('a number of bytes from 1, or a size such as 32MiB', value => {
  const size = parseSize(String(value))
  return size !== undefined && size > 0 ? size : undefined
})

/** Where the gateway listens. */
export const listenHost = setting('an IP address or localhost (0.0.0.0 or :: for every interface)', fromText(parseListenHost))

/** A host name as in a `Host` header. */
export const hostName = setting('a host name, without http:// and without a port', fromText(parseHostName))

/** The origin of a browser page, or `*`. */
export const origin = setting(
  'an origin such as https://chat.example.org, or * for every origin',
  fromText(value => (value.trim() === '*' ? '*' : parseOrigin(value))),
)

/** An address or a range of addresses. */
export const network = setting('an IP address or a range such as 10.0.0.0/8', fromText(parseNetwork))

/** Address of an upstream server. */
export const baseUrl = setting(
  'an address that starts with http:// or https:// and has no ? or #, for example http://localhost:11434',
  fromText(parseBaseUrl),
  value => showValue(typeof value === 'string' ? withoutSecrets(value) : value),
)

/** Request headers for an upstream, checked the way fetch will check them. Values may be secret. */
export const headerValue = setting('text in quotes that may stand in a header', fromText(readHeaderValue), () => '')

/** A list. Text is taken apart before it gets here, see normalise.ts. */
export const list = <Item extends v.GenericSchema>(item: Item) =>
  v.array(item, issue => `must be a list such as [a, b]${showValue(issue.input)}`)

/** An object with named parts. valibot alone would let a list pass for one. */
export const mapping = <Inner extends v.GenericSchema>(inner: Inner) =>
  v.pipe(
    v.custom<v.InferInput<Inner>>(isMapping, issue => `must be a mapping such as { key: value }${showKind(issue.input)}`),
    inner,
  )

/** A section whose keys somebody else knows. */
export const section = v.optional(mapping(v.record(v.string(), v.unknown())), {})

const readDuration = (value: unknown) => (value === 0 ? 0 : typeof value === 'string' ? parseDuration(value) : undefined)

function readNumber(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value) ? Number(value) : Number.NaN
}

function readHeaderValue(value: string): string | undefined {
  try {
    return new Headers([['x', value]]).get('x') ?? undefined
  } catch {
    return undefined
  }
}

const withoutSecrets = (url: string) => url.replace(/^(\w+:\/\/)?.*@/, '$1…@').replace(/\?.*$/s, '?…')

function showValue(value: unknown): string {
  if (typeof value === 'object' && value !== null) return showKind(value)
  const shown = JSON.stringify(value ?? null)
  return `, not ${shown.length > 60 ? `${shown.slice(0, 60)}…` : shown}`
}

function showKind(value: unknown): string {
  if (value === null) return ', not empty'
  if (Array.isArray(value)) return ', not a list'
  return isMapping(value) ? ', not a mapping' : `, not a ${typeof value}`
}
