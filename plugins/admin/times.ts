import { parseDuration } from 'gatehouse'
import { mustBe, type Read } from './fields.ts'

/** A time as the admin API has it: ISO 8601, UTC. */
export const iso = (ms: number): string => new Date(ms).toISOString()

/** The same for one that may not be there. */
export const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms))

const form = /^(\d{4}-\d\d-\d\d)(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))?$/

/** A time with its zone, or a day, which begins at midnight UTC; in milliseconds. */
export const time: Read<number> = (value, field) => {
  const [, day] = (typeof value === 'string' && form.exec(value)) || []
  const ms = day === undefined || !isDay(day) ? Number.NaN : Date.parse(value as string)
  if (Number.isNaN(ms) || ms < 0) throw mustBe(field, 'a time such as 2027-01-31T12:00:00Z or a day such as 2027-01-31, or null for never')
  return ms
}

/** True for a day that there is. */
export const isDay = (text: string): boolean => {
  // Date takes the 30th of February for the 2nd of March
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  return !Number.isNaN(ms) && iso(ms).startsWith(text)
}

/** A month: who has not put in the new key by then does not know of it. */
const longestGraceMs = 30 * 24 * 3_600_000

/** How long a secret lives on after it was replaced, in milliseconds. */
export const grace: Read<number> = (value, field) => {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  if (ms === undefined || !(ms >= 0 && ms <= longestGraceMs) || Object.is(ms, -0))
    throw mustBe(field, 'a duration such as 30m or 1h, at most 720h')
  return Math.round(ms)
}
