import { type UsageDimension, type UsageQuery, utcDate } from 'gatehouse'
import { wrong } from './query.ts'
import { isDay } from './times.ts'

/** What sums can be taken apart by, and what the records call it. */
export const dimensions: Readonly<Record<string, UsageDimension>> = {
  day: 'day',
  key: 'keyId',
  model: 'model',
  backend: 'backend',
  target: 'target',
  user: 'user',
}

const dayMs = 24 * 3_600_000
/** When nobody says: today and the 29 days before. */
const usualDays = 30
/** A leap year. Days are read one by one. */
const mostDays = 366

/** `from`, `to` and `by` of a report. Days are UTC, and both are in it. */
export function readUsageQuery(
  { from, to, by = 'day' }: { readonly from?: string; readonly to?: string; readonly by?: string },
  words: readonly string[],
  now: number,
): UsageQuery {
  const last = to === undefined ? utcDate(now) : readDay(to, 'to')
  const first = from === undefined ? utcDate(Date.parse(last) - (usualDays - 1) * dayMs) : readDay(from, 'from')
  if (first > last) throw wrong('from', 'from must not be later than to.')
  if (Date.parse(last) - Date.parse(first) >= mostDays * dayMs) throw wrong('from', `A report has at most ${mostDays} days.`)
  return { from: first, to: last, by: readBy(by, words) }
}

function readDay(text: string, name: string): string {
  if (!isDay(text)) throw wrong(name, `${name} must be a day such as 2027-01-31.`)
  return text
}

function readBy(text: string, words: readonly string[]): UsageDimension[] {
  const chosen = text.split(',')
  if (new Set(chosen).size < chosen.length || !chosen.every(word => words.includes(word))) {
    throw wrong('by', `by must be one of ${words.join(', ')}, or several with commas between them.`)
  }
  return chosen.map(word => dimensions[word] as UsageDimension)
}
