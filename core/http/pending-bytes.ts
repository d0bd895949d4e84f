import { GatewayError } from '../errors.ts'

/** The bytes of an event or a line that has not ended yet. */
export interface PendingBytes {
  /** Copies `piece` behind what is already there. */
  append(piece: Uint8Array): void
  /** Everything appended, then `last`; empties the store. With nothing appended it is `last` itself, not a copy. */
  take(last: Uint8Array): Uint8Array
}

/** More than the largest answer in one piece, and still a bound on what a broken backend can make us hold. */
export const defaultMaxBytes = 64 * 1024 * 1024

/** An empty store. More than `maxBytes` in it is a 502. */
export function pendingBytes(maxBytes: number): PendingBytes {
  let room: Uint8Array = nothing
  let length = 0

  const check = (bytes: number) => {
    if (bytes > maxBytes) throw tooLarge(maxBytes)
  }
  const append = (piece: Uint8Array) => {
    const needed = length + piece.length
    check(needed)
    if (needed > room.length) {
      // Doubling keeps a long line that comes in small pieces linear.
      const larger = new Uint8Array(Math.max(needed, room.length * 2, smallestRoom))
      larger.set(room.subarray(0, length))
      room = larger
    }
    room.set(piece, length)
    length = needed
  }
  return {
    append,
    take(last) {
      if (length === 0) {
        check(last.length)
        return last
      }
      append(last)
      const whole = room.subarray(0, length)
      room = nothing
      length = 0
      return whole
    },
  }
}

const nothing = new Uint8Array(0)
const smallestRoom = 512

const tooLarge = (maxBytes: number) =>
  new GatewayError(502, 'server_error', 'bad_gateway', `The model backend sent a single event of more than ${maxBytes} bytes.`)
