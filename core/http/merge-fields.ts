import { isObject, type JsonObject } from './json-object.ts'

/** Sets a field to what came last. Lists grow instead, and null takes nothing away. */
export function putField(target: JsonObject, name: string, value: unknown): void {
  const before = target[name]
  if (value === null || value === undefined) {
    if (before === undefined) target[name] = null
  } else if (Array.isArray(before) && Array.isArray(value)) {
    for (const item of value) before.push(item)
  } else target[name] = value
}

/** As `putField`; texts grow too. */
export function growField(target: JsonObject, name: string, value: unknown): void {
  const before = target[name]
  if (typeof value === 'string' && typeof before === 'string') target[name] = before + value
  else putField(target, name, value)
}

/** Adds to an object inside another; the `texts` among its fields grow. */
export function mergeObject(target: JsonObject, name: string, value: JsonObject, texts: ReadonlySet<string>): void {
  const before = target[name]
  const inner = isObject(before) ? before : {}
  target[name] = inner
  for (const field in value) {
    if (texts.has(field)) growField(inner, field, value[field])
    else putField(inner, field, value[field])
  }
}
