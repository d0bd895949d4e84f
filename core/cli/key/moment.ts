import { formatDuration, parseDuration } from '../../config/duration.ts'
import { ConfigError } from '../../errors.ts'
import type { Reader } from './values.ts'

const dayMs = 86_400_000

/** The last time that JavaScript knows. */
const lastMs = 8.64e15

/** Milliseconds of a duration that may begin with days, `30d` or `1d12h`; undefined for anything else, and for one without end. */
export function parseDays(text: string): number | undefined {
  const [, days, rest = text] = /^(\d+)d(.*)$/s.exec(text) ?? []
  const more = days !== undefined && rest === '' ? 0 : parseDuration(rest)
  if (more === undefined || more < 0) return undefined
  const sum = Number(days ?? 0) * dayMs + more
  return Number.isFinite(sum) ? sum : undefined
}

/** A time as ISO 8601 in UTC: given so, as a day (its beginning, UTC), or as how long from now. `none` and `never` are null. */
export const asMoment =
  (now: () => number): Reader =>
  (text, option) => {
    if (text === 'none' || text === 'never' || text === 'unlimited') return null
    const ms = timeOf(text, now())
    if (ms !== undefined && ms <= lastMs) return new Date(ms).toISOString()
    throw new ConfigError(`--${option} must be a day (2027-01-31), a time (2027-01-31T18:00Z), how long (30d, 12h) or none, not "${text}"`)
  }

const moment = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/i

function timeOf(text: string, now: number): number | undefined {
  const [, day] = moment.exec(text) ?? []
  if (day === undefined) {
    const duration = parseDays(text)
    return duration ? now + duration : undefined
  }
  return isDay(day) && !Number.isNaN(Date.parse(text)) ? Date.parse(text) : undefined
}

/** False for the 30th of February, which would become a day in March. */
export function isDay(text: string): boolean {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}

/** How long an old secret is good, Go style: a gatehouse knows no days. */
export const asGrace: Reader = (text, option) => {
  const ms = parseDays(text)
  if (ms === undefined) throw new ConfigError(`--${option} must be how long, such as 1h or 7d, not "${text}"`)
  return formatDuration(Math.round(ms))
}
