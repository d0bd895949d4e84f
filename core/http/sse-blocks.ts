import { pendingBytes } from './pending-bytes.ts'

/** Cuts the bytes of an event stream at its blank lines. Nothing is decoded. */
export interface BlockReader {
  /** The blocks that are whole now, each with its blank line. */
  feed(chunk: Uint8Array): Uint8Array[]
  /** A last block that lacks its blank line or even its newline, completed. */
  end(): Uint8Array | undefined
}

/**
 * A reader for one stream. The blocks together are the input, without its byte order mark: that would spoil
 * the first field once something else, say a heartbeat, has been sent before it.
 */
export function createBlockReader(maxBytes: number): BlockReader {
  const pending = pendingBytes(maxBytes)
  let first = true
  let blank = true // nothing on this line so far
  let afterReturn = false // a line feed now belongs to the carriage return before it
  let ended = false // the blank line ended in a carriage return, and its line feed may still come

  const take = (last: Uint8Array) => {
    const block = pending.take(last)
    if (!first) return block
    first = false
    return withoutMark(block)
  }

  return {
    feed(chunk) {
      const blocks: Uint8Array[] = []
      const { length } = chunk
      let start = 0
      for (let at = 0; at < length; at++) {
        const byte = chunk[at] as number
        if (ended) {
          const end = byte === lineFeed ? at + 1 : at
          blocks.push(take(chunk.subarray(start, end)))
          start = end
          ended = false
          afterReturn = false
          if (byte === lineFeed) continue
        }
        if (byte === lineFeed) {
          if (blank && !afterReturn) {
            blocks.push(take(chunk.subarray(start, at + 1)))
            start = at + 1
          }
          blank = true
          afterReturn = false
        } else if (byte === carriageReturn) {
          ended = blank
          blank = true
          afterReturn = true
        } else {
          blank = false
          afterReturn = false
          while (at + 1 < length && (chunk[at + 1] as number) > carriageReturn) at++
        }
      }
      if (start < length) pending.append(chunk.subarray(start))
      return blocks
    },
    end() {
      const block = take(nothing)
      if (block.length === 0) return undefined
      if (ended) return block
      // Behind a carriage return the first line feed only completes the pair.
      return Buffer.concat([block, blank && !afterReturn ? oneEnd : twoEnds])
    },
  }
}

const lineFeed = 10
const carriageReturn = 13
const nothing = new Uint8Array(0)
const oneEnd = Uint8Array.of(lineFeed)
const twoEnds = Uint8Array.of(lineFeed, lineFeed)

const withoutMark = (block: Uint8Array) => (block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf ? block.subarray(3) : block)
