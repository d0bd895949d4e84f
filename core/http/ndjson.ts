import { defaultMaxBytes, pendingBytes } from './pending-bytes.ts'

/** Turns the bytes of a stream into lines, however they are cut. */
export interface NdjsonReader {
  /** The lines that are whole now, without the empty ones. */
  feed(chunk: Uint8Array): string[]
  /** A last line that lacks its newline. */
  end(): string[]
}

export interface NdjsonReaderOptions {
  /** A line longer than this is a 502; 64 MiB by default. */
  readonly maxLineBytes?: number
}

/**
 * A reader for one stream of JSON lines. Some servers and proxies dress the lines as an event stream:
 * `data:` is taken off, and comments, the other fields and `[DONE]` are left out.
 */
export function createNdjsonReader({ maxLineBytes = defaultMaxBytes }: NdjsonReaderOptions = {}): NdjsonReader {
  const pending = pendingBytes(maxLineBytes)

  const take = (lines: string[], last: Uint8Array) => {
    const line = readLine(decoder.decode(pending.take(last)))
    if (line !== '') lines.push(line)
  }
  return {
    feed(chunk) {
      const lines: string[] = []
      let start = 0
      for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
        take(lines, chunk.subarray(start, end))
        start = end + 1
      }
      if (start < chunk.length) pending.append(chunk.subarray(start))
      return lines
    },
    end() {
      const lines: string[] = []
      take(lines, nothing)
      return lines
    },
  }
}

const lineFeed = 10
const nothing = new Uint8Array(0)
const decoder = new TextDecoder()

function readLine(text: string): string {
  const line = text.trim()
  if (line.startsWith('data:')) {
    const data = line.slice('data:'.length).trimStart()
    return data === '[DONE]' ? '' : data
  }
  return sseFurniture.some(start => line.startsWith(start)) ? '' : line
}

/** How no JSON text can begin. */
const sseFurniture = [':', 'event:', 'id:', 'retry:']
