import { didYouMean } from '../../config/suggest.ts'
import { invalidRequest } from '../../errors.ts'
import type { Payload } from '../../openai.ts'

/** The one field that a body may have, true or false; `otherwise` when it is left out. Throws a 400 for anything else. */
export function readFlag(payload: Readonly<Payload>, name: string, otherwise: boolean): boolean {
  for (const field of Object.keys(payload)) {
    if (field === name || (field === 'model' && payload.model === '')) continue // what the kernel puts into every body
    const shown = field.slice(0, 60).toWellFormed()
    throw invalidRequest(`There is no field ${JSON.stringify(shown)} here${didYouMean(shown, [name]) || '.'}`, 'unknown_field', shown)
  }
  const value = payload[name] ?? otherwise
  if (typeof value === 'boolean') return value
  throw invalidRequest(`${name} must be true or false.`, 'invalid_value', name)
}
