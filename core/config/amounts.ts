import * as v from 'valibot'
import { formatDuration, parseDuration } from './duration.ts'
import { anyCase, goDuration, longerThan, orVariable } from './patterns.ts'
import { setting } from './settings.ts'
import { parseSize } from './size.ts'

const digits = { type: ['integer', 'string'], pattern: orVariable('^\\s*[+-]?\\d+\\s*$') }
const decimal = { type: ['number', 'string'], pattern: orVariable('^\\s*[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?\\s*$') }

/** A whole number within limits. */
export const integer = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  setting(
    max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`,
    value => {
      const number = readNumber(value)
      return Number.isSafeInteger(number) && number >= min && number <= max ? number : undefined
    },
    { json: { ...digits, minimum: min, ...(max < Number.MAX_SAFE_INTEGER && { maximum: max }) } },
  )

/** A whole number for which zero and less mean the given default; LlamaGate's habit. */
export const countOr = (fallback: number) =>
  setting(
    'a whole number',
    value => {
      const number = readNumber(value)
      return Number.isSafeInteger(number) ? (number > 0 ? number : fallback) : undefined
    },
    { json: digits },
  )

/** A whole number from 0, or `none` for no limit, which comes out as null. */
export const amountOrNone = v.pipe(
  setting(
    'a whole number from 0, or none for no limit',
    value => {
      const number = readNumber(value)
      if (Number.isSafeInteger(number) && number >= 0) return { number }
      return String(value).trim().toLowerCase() === 'none' ? { number: null } : undefined
    },
    { json: { ...digits, minimum: 0, pattern: orVariable(`^\\s*(\\+?\\d+|${anyCase('none')})\\s*$`) } },
  ),
  v.transform(({ number }) => number),
)

/** A number greater than zero. */
export const positiveNumber = setting(
  'a number greater than 0',
  value => {
    const number = readNumber(value)
    return number > 0 && number < Number.POSITIVE_INFINITY ? number : undefined
  },
  { json: { ...decimal, exclusiveMinimum: 0 } },
)

/** A number that is zero or more. */
export const share = setting(
  'a number from 0',
  value => {
    const number = readNumber(value)
    return number >= 0 && number < Number.POSITIVE_INFINITY ? number : undefined
  },
  { json: { ...decimal, minimum: 0 } },
)

/** A part of a whole, more than nothing. */
export const portion = setting(
  'a number greater than 0 and at most 1',
  value => {
    const number = readNumber(value)
    return number > 0 && number <= 1 ? number : undefined
  },
  { json: { ...decimal, exclusiveMinimum: 0, maximum: 1 } },
)

const yes = ['true', 'yes', 'on', '1', 't']
const no = ['false', 'no', 'off', '0', 'f']

/** True or false in any of their spellings, undefined for anything else. */
export function readFlag(value: unknown): boolean | undefined {
  const word = typeof value === 'object' ? '' : String(value).trim().toLowerCase()
  return yes.includes(word) ? true : no.includes(word) ? false : undefined
}

const oneOf = (words: readonly string[]) => `^\\s*(${words.map(anyCase).join('|')})\\s*$`

/** A schema for what is read as true. */
export const isTrue = { anyOf: [{ enum: [true, 1] }, { type: 'string', pattern: oneOf(yes) }] }

/** Yes or no, in any of the spellings people use, and those that Go reads. */
export const flag = setting('true or false', readFlag, {
  json: {
    type: ['boolean', 'string', 'integer'],
    pattern: orVariable(oneOf([...yes, ...no])),
    minimum: 0,
    maximum: 1,
  },
})

// setTimeout fires at once for anything longer than 2^31 - 1 ms.
const longest = 24 * 24 * 3_600_000

/** How a duration is bounded; `none` also allows Infinity. */
interface DurationLimits {
  readonly atMost?: number
  readonly zero?: boolean
  readonly none?: boolean
}

const writtenAs = (atMost: number, more = '') => ({
  kind: 'duration' as const,
  json: {
    type: ['string', 'integer'],
    pattern: orVariable(`^\\s*(${goDuration}${more})\\s*$`),
    minimum: 0,
    maximum: 0,
    not: { type: 'string', pattern: longerThan(atMost) },
  },
})

/** A duration greater than zero, in milliseconds. */
export const duration = ({ atMost = longest, zero = false, none = false }: DurationLimits = {}) =>
  setting(
    `a duration such as 30s or 1m30s${none ? ', or none,' : ','} ${zero ? '' : 'longer than 0s and '}at most ${formatDuration(atMost)}`,
    value => {
      const ms = readDuration(value)
      if (ms === Number.POSITIVE_INFINITY) return none ? ms : undefined
      return ms !== undefined && ms <= atMost && (zero ? ms >= 0 : ms > 0) ? ms : undefined
    },
    writtenAs(atMost, none ? '|none' : ''),
  )

/** A duration for which zero and less mean the given default; LlamaGate's habit. */
export const durationOr = (fallbackMs: number) =>
  setting(
    `a duration such as 30s or 1m30s, at most ${formatDuration(longest)}`,
    value => {
      const ms = readDuration(value)
      if (ms === undefined || ms > longest) return undefined
      return ms > 0 ? ms : fallbackMs
    },
    writtenAs(longest),
  )

/** A number of bytes, `32MiB` style text included. */
export const bytes = setting(
  'a number of bytes from 1, or a size such as 32MiB',
  value => {
    const size = parseSize(String(value))
    return size !== undefined && size > 0 ? size : undefined
  },
  { json: { type: ['integer', 'string'], minimum: 1, pattern: orVariable('^\\s*\\d+(\\.\\d+)?\\s*([kKmMgG]?[iI]?[bB])?\\s*$') } },
)

const readDuration = (value: unknown) => (value === 0 ? 0 : typeof value === 'string' ? parseDuration(value) : undefined)

function readNumber(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value) ? Number(value) : Number.NaN
}
