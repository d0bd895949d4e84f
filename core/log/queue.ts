/** Lines on their way out, as many as go in one write. */
export interface Chunk {
  readonly bytes: Buffer
  /** Of the text; what it counts for in the queue. */
  readonly length: number
  written: number
}

/** Lines that wait, in order. */
export interface Queue {
  /** Takes one line; false when too many wait already. */
  push(line: string): boolean
  /** What is to be written next: the same until it is `done`. */
  next(): Chunk | undefined
  done(): void
  /** A chunk that was half written begins again with the line that was cut, so that another file gets whole lines. */
  rewind(): void
  /** Characters in all. */
  size(): number
}

/** Lines that may wait while nobody takes them. Characters. */
const mostWaiting = 8 * 1024 * 1024
/** At most this much goes in one write. Characters. */
const mostAtOnce = 64 * 1024

/** An empty queue. */
export function createQueue(): Queue {
  let chunks: string[] = []
  let current: Chunk | undefined
  let size = 0
  return {
    push(line) {
      if (size + line.length > mostWaiting) return false
      size += line.length
      const last = chunks.length - 1
      const open = chunks[last]
      if (open !== undefined && open.length + line.length <= mostAtOnce) chunks[last] = open + line
      else chunks.push(line)
      return true
    },
    next() {
      if (current) return current
      const [text, ...rest] = chunks
      if (text === undefined) return
      chunks = rest
      current = { bytes: Buffer.from(text), length: text.length, written: 0 }
      return current
    },
    done() {
      size -= current?.length ?? 0
      current = undefined
    },
    rewind() {
      if (current && current.written > 0) current.written = current.bytes.lastIndexOf(10, current.written - 1) + 1
    },
    size: () => size,
  }
}
