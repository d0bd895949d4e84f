/** Lines on their way out, as many as go in one write. */
export interface Chunk {
  readonly bytes: Buffer
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
  /** Bytes in all. */
  size(): number
}

/** Lines that may wait while nobody takes them. Bytes. */
const mostWaiting = 8 * 1024 * 1024
/** At most this much goes in one write, unless one line is longer. Bytes. */
const mostAtOnce = 64 * 1024
/** A UTF-16 code unit takes no more in UTF-8. */
const mostPerCharacter = 3

/**
 * An empty queue. Lines become bytes at once, in a buffer that is used again: kept as texts until they are written, the
 * two lines of a cache hit were garbage that cost as much as making them.
 */
export function createQueue(): Queue {
  const full: Buffer[] = []
  let open: Buffer | undefined // takes the lines that come
  let used = 0 // of it
  let spare: Buffer | undefined
  let current: Chunk | undefined
  let size = 0

  const seal = () => {
    if (open && used > 0) full.push(open.subarray(0, used))
    open = undefined
    used = 0
  }
  const room = () => {
    open = spare ?? Buffer.allocUnsafeSlow(mostAtOnce)
    spare = undefined
    return open
  }

  return {
    push(line) {
      if (size + line.length > mostWaiting) return false
      const most = line.length * mostPerCharacter
      if (used + most > mostAtOnce) seal()
      if (most > mostAtOnce) {
        const bytes = Buffer.from(line)
        full.push(bytes)
        size += bytes.length
        return true
      }
      const written = (open ?? room()).write(line, used)
      used += written
      size += written
      return true
    },
    next() {
      if (current) return current
      if (full.length === 0) seal()
      const bytes = full.shift()
      if (bytes) current = { bytes, written: 0 }
      return current
    },
    done() {
      if (!current) return
      const { bytes } = current
      size -= bytes.length
      if (bytes.buffer.byteLength === mostAtOnce) spare = Buffer.from(bytes.buffer)
      current = undefined
    },
    rewind() {
      if (current && current.written > 0) current.written = current.bytes.lastIndexOf(10, current.written - 1) + 1
    },
    size: () => size,
  }
}
