const decoder = new TextDecoder()

/** ES2025 (JSON.parse source text access); not yet in the types. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

/**
 * JavaScript reads an integer above 2^53 as the nearest number it can hold. For a body that has one, a
 * replacer for `JSON.stringify` that writes it as the client did; undefined for all others.
 */
export function keepLongNumbers(bytes: Uint8Array): ((key: string, value: unknown) => unknown) | undefined {
  const text = decoder.decode(bytes)
  if (!/[:,[\s]-?\d{16}|\d[eE]\+?\d{3}/.test(text)) return
  // by name and value: two that are written differently may be read as the same number
  const sources = new Map<string, Map<unknown, string>>()
  JSON.parse(text, (key, value, context?: { readonly source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value) || !context?.source) return value
    sources.set(key, (sources.get(key) ?? new Map<unknown, string>()).set(value, context.source))
    return value
  })
  return (key, value) => {
    const source = typeof value === 'number' ? sources.get(key)?.get(value) : undefined
    return source === undefined ? value : rawJSON(source)
  }
}
