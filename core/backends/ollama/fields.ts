import { isObject } from '../../http/json-object.ts'
import { isInteger, isStrings, type Json, optional, unsupported } from './values.ts'

const header = 'x-gatehouse-ignored'
const mostNames = 20
const longestName = 64

/** The fields of `payload` that the client set and that are not among `mapped`, in the client's order. */
export function ignoredFields(payload: Json, mapped: ReadonlySet<string>): string[] {
  return Object.keys(payload).filter(field => payload[field] !== undefined && payload[field] !== null && !mapped.has(field))
}

/** The header that names what was not passed on; nothing when all was. Names come from clients, so they are made safe. */
export function ignoredHeader(fields: readonly string[]): Record<string, string> {
  if (fields.length === 0) return {}
  const names = new Set(fields.map(field => field.slice(0, longestName).replace(/[^A-Za-z0-9_.-]/g, '_') || '_'))
  return { [header]: [...names].slice(0, mostNames).join(', ') }
}

/** Throws a 400 for fields that Ollama has no counterpart for and whose loss would change what the answer means. */
export function refuseUnsupported(payload: Json): void {
  const n = optional(payload, 'n', isInteger)
  if (n !== undefined && n !== 1) throw unsupported('Ollama gives one answer per request. Leave `n` out or set it to 1.', 'n')
  const bestOf = optional(payload, 'best_of', isInteger)
  if (bestOf !== undefined && bestOf !== 1) {
    throw unsupported('Ollama gives one answer per request. Leave `best_of` out or set it to 1.', 'best_of')
  }
  const bias = optional(payload, 'logit_bias', isObject)
  if (bias && Object.keys(bias).length > 0) throw unsupported('Ollama has no `logit_bias`. Leave it out.', 'logit_bias')
  const modalities = optional(payload, 'modalities', isStrings)
  if (modalities?.some(modality => modality !== 'text')) throw unsupported('Ollama answers with text only.', 'modalities')
  for (const field of ['audio', 'web_search_options']) {
    if (payload[field] !== undefined && payload[field] !== null) throw unsupported(`Ollama has no \`${field}\`. Leave it out.`, field)
  }
}
