import { didYouMean, invalidRequest } from 'gatehouse'

/** Makes of a value that was sent the value that is meant. Throws a 400 that names the field. */
export type Read<T> = (value: unknown, field: string) => T

/** What may stand in a body, by name. */
export type Fields = Readonly<Record<string, Read<unknown>>>

/** The fields that were sent. */
export type Given<F extends Fields> = { readonly [Name in keyof F]?: ReturnType<F[Name]> }

/** Reads a body of which every field must be known. `fixed` are those that can be seen and not set. */
export function readFields<F extends Fields>(payload: object, fields: F, fixed: readonly string[] = []): Given<F> {
  const given: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(payload)) {
    if (name === 'model' && value === '') continue // what the kernel puts into every body that names no model
    const read = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (!read) throw fixed.includes(name) ? cannotSet(name) : unknown(name, Object.keys(fields))
    given[name] = read(value, name)
  }
  return given as Given<F>
}

/** The value, or a 400 when the field was not sent. */
export function required<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw invalidRequest(`${field} is missing.`, 'missing_field', field)
  return value
}

/** The 400 for a value; `what` completes "must be". */
export const mustBe = (field: string, what: string) => invalidRequest(`${field} must be ${what}.`, 'invalid_value', field)

const cannotSet = (name: string) => invalidRequest(`${name} can be seen, not set.`, 'read_only_field', name)

/** Neither the answer nor the search for what was meant must grow with what was sent. */
const unknown = (name: string, known: readonly string[]) => {
  const shown = name.slice(0, 60).toWellFormed()
  return invalidRequest(`There is no field ${JSON.stringify(shown)} here${didYouMean(shown, known) || '.'}`, 'unknown_field', shown)
}
