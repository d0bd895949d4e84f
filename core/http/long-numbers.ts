const decoder = new TextDecoder()

/** ES2025 (JSON.parse source text access); not yet in the types. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

/**
 * JavaScript reads an integer above 2^53 as the nearest number it can hold. For a body that has one, a
 * replacer for `JSON.stringify` that writes it as the client did; undefined for all others.
 */
export function keepLongNumbers(bytes: Uint8Array): ((key: string, value: unknown) => unknown) | undefined {
  const text = decoder.decode(bytes)
  if (!/[:,[\s]-?\d{16}/.test(text)) return
  const sources = new Map<unknown, string>()
  JSON.parse(text, (_, value, context?: { readonly source?: string }) => {
    if (typeof value === 'number' && !Number.isSafeInteger(value) && context?.source) sources.set(value, context.source)
    return value
  })
  return (_, value) => {
    const source = sources.get(value)
    return source === undefined ? value : rawJSON(source)
  }
}
