import { formatDuration } from '../config/duration.ts'

/** What `GET /admin/cache` answers; one of another release may leave something out. */
export interface CacheStats {
  readonly enabled?: boolean
  readonly entries?: number
  readonly max_entries?: number
  readonly bytes?: number
  readonly max_bytes?: number
  readonly hits?: number
  readonly misses?: number
  readonly joins?: number
  readonly bypasses?: number
  readonly tokens_saved?: number
  readonly seconds_saved?: number
}

/** The state of the cache for people, a line for each figure. */
export function cacheLines(stats: CacheStats): string[] {
  const { hits, misses, joins, bypasses, tokens_saved: tokens, seconds_saved: seconds } = stats
  const figures = [
    ['entries', outOf(stats.entries, stats.max_entries, count)],
    ['size', outOf(stats.bytes, stats.max_bytes, size)],
    ['hits', withShare(hits, misses, joins)],
    ['misses', count(misses)],
    ['joins', count(joins)],
    ['bypasses', count(bypasses)],
    ['tokens saved', count(tokens)],
    ['time saved', time(seconds)],
  ] as const
  const lines = figures.map(([name, text]) => `${name.padEnd(14)}${text}`)
  return stats.enabled === false ? ['the cache is off (cache.enabled)', ...lines] : lines
}

type Figure = number | null | undefined

const isNumber = (value: Figure): value is number => typeof value === 'number' && Number.isFinite(value)

const count = (value: Figure): string => (isNumber(value) ? value.toLocaleString('en-US') : '-')

const outOf = (value: Figure, most: Figure, text: (value: Figure) => string): string =>
  `${text(value)}${isNumber(most) ? ` of ${text(most)}` : ''}`

/** Of all requests that asked the cache, how many needed no model of their own. */
function withShare(hits: Figure, misses: Figure, joins: Figure): string {
  if (!isNumber(hits) || !isNumber(misses)) return count(hits)
  const asked = hits + misses + (isNumber(joins) ? joins : 0)
  return asked === 0 ? count(hits) : `${count(hits)} (${Math.round((100 * hits) / asked)} %)`
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** A number of bytes, for people. */
export function size(bytes: Figure): string {
  if (!isNumber(bytes)) return '-'
  const power = Math.min(units.length - 1, bytes < 1024 ? 0 : Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 1024 ** power).toFixed(1))} ${units[power]}`
}

/** Past a minute nobody wants to know the milliseconds. */
function time(seconds: Figure): string {
  if (!isNumber(seconds)) return '-'
  return formatDuration(seconds < 60 ? Math.round(seconds * 1000) : Math.round(seconds) * 1000)
}
