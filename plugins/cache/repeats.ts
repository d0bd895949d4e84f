const decoder = new TextDecoder()

/** True when some object in this JSON names a field twice. The JSON must be well formed. */
export function repeatsFields(json: Uint8Array): boolean {
  const text = decoder.decode(json)
  return countWritten(text) !== countFields(JSON.parse(text))
}

/** Names as they are written: texts with a colon behind them. */
function countWritten(text: string): number {
  let count = 0
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at)) {
    at = endOfText(text, at)
    while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++
    if (text[at] === ':') count++
  }
  return count
}

/** The place behind the quote that ends the text. */
function endOfText(text: string, start: number): number {
  let at = start + 1
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote === -1) return text.length
    let backslashes = 0
    while (text[quote - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return quote + 1
    at = quote + 1
  }
}

/** Names as they are understood: of those that are the same, one is left. */
function countFields(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner = Object.values(value)
  return inner.reduce<number>((sum, field) => sum + countFields(field), Array.isArray(value) ? 0 : inner.length)
}
