import { isObject, type JsonObject } from './json.ts'

/** The `usage` of several turns in one; details are added up as well. */
export function addUsage(sum: JsonObject | undefined, usage: unknown): JsonObject | undefined {
  if (!isObject(usage)) return sum
  if (!sum) return usage
  const added: JsonObject = { ...sum }
  for (const [name, value] of Object.entries(usage)) {
    const before = added[name]
    if (typeof value === 'number' && typeof before === 'number') added[name] = before + value
    else if (isObject(value)) added[name] = addUsage(isObject(before) ? before : undefined, value)
    else if (value !== null && value !== undefined) added[name] = value
  }
  return added
}
