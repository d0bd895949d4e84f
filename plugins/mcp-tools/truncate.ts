/** What LlamaGate puts behind a result that was cut. */
export const cutMark = '\n... [truncated]'

/**
 * At most so many bytes of UTF-8, then the mark; never half a character. When a line ends in the last tenth, it is cut there,
 * as LlamaGate did.
 */
export function truncate(text: string, mostBytes: number): string {
  if (text.length * 3 <= mostBytes) return text
  const bytes = encoder.encode(text)
  if (bytes.length <= mostBytes) return text
  let end = mostBytes
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--
  const line = bytes.lastIndexOf(lineFeed, end - 1)
  if (end > 0 && line > (mostBytes * 9) / 10) end = line
  return decoder.decode(bytes.subarray(0, end)) + cutMark
}

const lineFeed = 10
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
