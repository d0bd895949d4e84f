import type { UsageDimension, UsageSum } from 'gatehouse'
import { readLimit, wrong } from './query.ts'

/** A year by days fits. */
const usualLimit = 1000

/**
 * A part of a report. `after` is the place of the last row of the part before, so what is counted meanwhile moves
 * nothing. Rows come in the order of their dimensions.
 */
export function pageOfUsage(
  sums: readonly UsageSum[],
  by: readonly UsageDimension[],
  { limit, after }: { readonly limit?: string; readonly after?: string },
): { readonly rows: readonly UsageSum[]; readonly next: string | null } {
  const most = readLimit(limit, usualLimit)
  const place = after === undefined ? undefined : readPlace(after, by)
  const start = place === undefined ? 0 : sums.findIndex(sum => isBehind(sum, place, by))
  const rows = start === -1 ? [] : sums.slice(start, start + most)
  const last = rows.at(-1)
  return { rows, next: last && last !== sums.at(-1) ? writePlace(last, by) : null }
}

type Place = readonly (string | number)[]

const placeOf = (sum: UsageSum, by: readonly UsageDimension[]) => by.map(dimension => sum[dimension] as string | number)

const writePlace = (sum: UsageSum, by: readonly UsageDimension[]) => Buffer.from(JSON.stringify(placeOf(sum, by))).toString('base64url')

function readPlace(text: string, by: readonly UsageDimension[]): Place {
  const place = text.length <= 4096 ? parse(Buffer.from(text, 'base64url').toString()) : undefined
  const fits =
    Array.isArray(place) &&
    place.length === by.length &&
    place.every((part, at) => typeof part === (by[at] === 'keyId' ? 'number' : 'string'))
  if (!fits) throw wrong('after', 'after must be the `next` of the part before, asked for in the same way.')
  return place
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isBehind(sum: UsageSum, place: Place, by: readonly UsageDimension[]): boolean {
  for (const [at, value] of placeOf(sum, by).entries()) {
    const other = place[at] as string | number
    if (value !== other) return value > other
  }
  return false
}
