/** A line longer than this is handed on in pieces, so that output without line ends fills no memory. */
const longestLine = 16_384

/** Calls `onLine` with every line of a stream, the last one too when nothing ends it. Resolves at the stream's end. */
export async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() as string
    for (const line of lines) onLine(line.replace(/\r$/, ''))
    if (rest.length < longestLine) continue
    onLine(rest)
    rest = ''
  }
  if (rest !== '') onLine(rest)
}
