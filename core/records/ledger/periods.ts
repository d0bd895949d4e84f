import type { Period } from '../ledger.ts'

/** A period on the calendar: the days from `first` to before `last`, counted from 1970-01-01 UTC. */
export interface Window {
  readonly period: Period
  readonly first: number
  readonly last: number
}

const dayMs = 86_400_000
/** The last day a Date knows; whole numbers stay exact in SQLite and in Lua. */
const endOfTime = 100_000_000

/** The day of a time. */
export const dayOf = (at: number): number => Math.floor(at / dayMs)

/** When a day begins. */
export const startOf = (day: number): number => day * dayMs

/** When what was used in a window starts again from nothing; null for never. */
export const resetOf = ({ last }: Window): number | null => (last === endOfTime ? null : startOf(last))

/** True when a day is in the window. */
export const covers = ({ first, last }: Window, day: number): boolean => first <= day && day < last

/** The window of a period that has a day in it. */
export function windowOf(period: Period, day: number): Window {
  if (period === 'total') return { period, first: 0, last: endOfTime }
  if (period === 'day') return { period, first: day, last: day + 1 }
  const date = new Date(startOf(day))
  const month = (further: number) => dayOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + further, 1))
  return { period, first: month(0), last: month(1) }
}

/** Windows by time; the same object again as long as the day is the same. */
export function createCalendar(): (period: Period, at: number) => Window {
  let today = Number.NaN
  let windows = new Map<Period, Window>()
  return (period, at) => {
    const day = dayOf(at)
    if (day !== today) windows = new Map()
    today = day
    const window = windows.get(period) ?? windowOf(period, day)
    windows.set(period, window)
    return window
  }
}
