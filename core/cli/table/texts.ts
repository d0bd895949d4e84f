/** A row as a gatehouse answers it; one of another release may leave something out, or have it otherwise. */
export type Row = Readonly<Record<string, unknown>>

/** What stands where there is nothing to tell. */
export const nothing = '-'

/** A text; nothing where there is none. */
export const words = (value: unknown): string =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : nothing

/** A number with its thousands apart; `otherwise` for null. */
export const count = (value: unknown, otherwise = nothing): string =>
  typeof value === 'number' ? value.toLocaleString('en-US') : value === null ? otherwise : nothing

/** A time to the minute, in UTC; `otherwise` for null. */
export function time(value: unknown, otherwise = nothing): string {
  if (value === null) return otherwise
  if (typeof value !== 'string') return nothing
  const at = new Date(value)
  return Number.isNaN(at.getTime()) ? value : `${at.toISOString().slice(0, 16)}Z`
}

/** The items of a list; `empty` for one without, `otherwise` for null. */
export const listed = (value: unknown, empty: string, otherwise = nothing): string =>
  Array.isArray(value) ? value.map(String).join(', ') || empty : value === null ? otherwise : nothing

/** Yes or no. */
export const yesNo = (value: unknown): string => (value === true ? 'yes' : value === false ? 'no' : nothing)

/** JSON for programs. */
export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Lines for people. */
export const text = (lines: readonly string[]): string => lines.map(line => `${line}\n`).join('')
