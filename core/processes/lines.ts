/** What is handed on of a line at most, so that output without line ends fills no memory and no log. */
const longestLine = 16_384

/** A program that floods its output is read for half of the time at most, and waits for us: others need the event loop, too. */
const longestTurnMs = 5

/**
 * Calls `onLine` with every line of a stream, the last one too when nothing ends it. Of one that is too long only the beginning
 * is handed on, and at its end how much was left out: cut into pieces, a secret in it might become two halves that nobody knows.
 */
export async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  /** Of the line that is too long and goes on. */
  let length = 0
  const put = (piece: string, ends: boolean) => {
    if (length === 0 && piece.length <= longestLine) return onLine(piece)
    if (length === 0) onLine(piece.slice(0, longestLine))
    length += piece.length
    if (!ends) return
    onLine(`(${length - longestLine} more characters of this line were left out)`)
    length = 0
  }
  let busyMs = 0
  for await (const bytes of stream) {
    const begun = performance.now()
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() as string
    for (const line of lines) put(line.replace(/\r$/, ''), true)
    if (length > 0 || rest.length > longestLine) {
      put(rest, false)
      rest = ''
    }
    // what is there already comes without a turn of the event loop
    busyMs += performance.now() - begun
    if (busyMs < longestTurnMs) continue
    await Bun.sleep(busyMs)
    busyMs = 0
  }
  if (rest !== '' || length > 0) put(rest, true)
}
