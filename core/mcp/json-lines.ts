/** A longer message is none: the results of tools are cut far below. */
const longestMessage = 64 * 1024 * 1024

/** A server that floods us is read for half of the time at most, and waits for us: others need the event loop, too. */
const longestTurnMs = 5

const newline = 10

/** Reads a stream of JSON objects, one on each line. What is none is told and skipped; empty lines are nothing. */
export async function readJsonLines(
  stream: ReadableStream<Uint8Array>,
  { onMessage, onGarbage, longest = longestMessage }: JsonLinesOptions,
): Promise<void> {
  let pieces: Uint8Array[] = []
  let size = 0
  const put = (piece: Uint8Array) => {
    size += piece.length
    if (size <= longest) pieces.push(piece)
    else pieces = []
  }
  const end = () => {
    if (size > longest) onGarbage(`(a line of ${size} bytes)`)
    else if (size > 0) readLine(Buffer.concat(pieces, size).toString(), onMessage, onGarbage)
    pieces = []
    size = 0
  }
  let busyMs = 0
  for await (const bytes of stream) {
    let at = 0
    for (let next = bytes.indexOf(newline); next !== -1; next = bytes.indexOf(newline, at)) {
      const begun = performance.now()
      put(bytes.subarray(at, next))
      end()
      at = next + 1
      // one chunk may hold thousands of messages, and what is there already comes without a turn of the event loop
      busyMs += performance.now() - begun
      if (busyMs < longestTurnMs) continue
      await Bun.sleep(busyMs)
      busyMs = 0
    }
    if (at < bytes.length) put(bytes.slice(at)) // a copy: the buffer may be filled again
  }
  end()
}

export interface JsonLinesOptions {
  readonly onMessage: (message: object) => void
  readonly onGarbage: (line: string) => void
  /** In bytes; 64 MiB. */
  readonly longest?: number
}

function readLine(line: string, onMessage: JsonLinesOptions['onMessage'], onGarbage: JsonLinesOptions['onGarbage']): void {
  if (line.trim() === '') return
  let message: unknown
  try {
    message = JSON.parse(line)
  } catch {
    // it is told below
  }
  if (typeof message === 'object' && message !== null && !Array.isArray(message)) onMessage(message)
  else onGarbage(line)
}
