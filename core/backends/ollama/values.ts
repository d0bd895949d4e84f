import { type GatewayError, invalidRequest } from '../../errors.ts'

/** A JSON object that nobody has checked yet. */
export type Json = Readonly<Record<string, unknown>>

/** True for any string. */
export const isString = (value: unknown): value is string => typeof value === 'string'

/** True for any finite number. */
export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

/** True for whole numbers. */
export const isInteger = (value: unknown): value is number => Number.isInteger(value)

/** True for `true` and `false`. */
export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'

/** True for a list of strings. */
export const isStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every(isString)

/** A field's value when it has the right type, undefined when it is absent or null, else the 400 that names it. */
export function optional<T>(from: Json, field: string, is: (value: unknown) => value is T, param: string = field): T | undefined {
  const value = from[field]
  if (value === undefined || value === null) return undefined
  if (!is(value)) throw wrongType(param)
  return value
}

/** The 400 for a field of the wrong type; the message is LlamaGate's for mistyped JSON. */
export const wrongType = (param: string): GatewayError => invalidRequest('Invalid request body', 'invalid_type', param)

/** The 400 for a wish that Ollama cannot fulfil and that must not be dropped in silence. */
export const unsupported = (message: string, param: string): GatewayError => invalidRequest(message, 'unsupported_parameter', param)
