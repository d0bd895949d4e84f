/** A JSON object whose fields nobody has looked at yet. */
export type JsonObject = Record<string, unknown>

/** True for `{…}`, not for arrays and null. */
export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The string, unless it is empty or not a string at all. */
export const filled = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** The parsed text, or undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
