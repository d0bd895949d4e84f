/** ES2025 (JSON.parse source text access); not yet in the types. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

const decoder = new TextDecoder()

/** Parses JSON; numbers that JavaScript cannot hold exactly stay what they are written as (`JSON.isRawJSON`). */
export function parseExactly(bytes: Uint8Array): unknown {
  return JSON.parse(decoder.decode(bytes), (_, value, context?: { readonly source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value) || context?.source === undefined) return value
    return Number.isInteger(value) || !Number.isFinite(value) ? rawJSON(context.source) : value
  })
}

/** More digits than an exponent needs: such a number is left as it is written. */
const longestExponent = 15

/** A JSON number by its exact value: `1e3`, `1000` and `1000.0` are one, however many digits they have. */
export function exactNumber(written: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(written) ?? []
  if (exponent.length > longestExponent) return written
  const digits = whole + fraction
  // no pattern: `0+$` looks at every zero from every zero before it
  let [from, to] = [0, digits.length]
  while (digits[from] === '0') from++
  while (to > from && digits[to - 1] === '0') to--
  if (from === to) return `${sign}0`
  return `${sign}${digits.slice(from, to)}e${Number(exponent) - fraction.length + digits.length - to}`
}
