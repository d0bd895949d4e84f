/** A pattern of JSON Schema that also lets `${NAME}` pass: what comes of it is known only at the start. */
export const orVariable = (pattern: string): string => `${pattern}|\\$\\{`

/** `on` as `[oO][nN]`, because JSON Schema has no flag for it. */
export const anyCase = (word: string): string => word.replace(/[a-z]/g, letter => `[${letter}${letter.toUpperCase()}]`)

/** One number with its unit, as in a Go duration. */
const durationPart = '(\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|μs|ms|s|m|h)'

/** A Go duration: several of them, or zero. */
export const goDuration = `[+-]?(${durationPart})+|0`

/** Durations of which one part alone is more than a limit. A pattern cannot add, so that `29m59s2s` is none of them. */
export function longerThan(limitMs: number): string {
  const units = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
  const parts = Object.entries(units).map(([unit, ms]) => `0*(${moreThan(Math.floor(limitMs / ms))})(\\.\\d*)?${unit}`)
  return `^\\s*\\+?(${durationPart})*(${parts.join('|')})(${durationPart})*\\s*$`
}

/** Whole numbers above one, without zeros in front: `[4-9]|[1-9]\\d{1,}` for 3. */
function moreThan(limit: number): string {
  const digits = String(limit)
  const sameLength = [...digits].flatMap((digit, index) => {
    const rest = digits.length - index - 1
    return digit === '9' ? [] : [`${digits.slice(0, index)}[${Number(digit) + 1}-9]\\d{${rest}}`]
  })
  return [...sameLength, `[1-9]\\d{${digits.length},}`].join('|')
}

/** A schema for mappings that have a key, and a value behind it: a key without one counts as not set. */
export const given = (name: string) => ({ required: [name], properties: { [name]: { not: { type: 'null' } } } })
