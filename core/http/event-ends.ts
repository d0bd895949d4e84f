/** Finds where the events of a stream end. Nothing is decoded. */
export interface EventEnds {
  /** False while a line feed now would still belong to the event before. */
  readonly settled: boolean
  /** The place behind the next blank line of `bytes`, from `from` on; -1 when none is left. Ask on until then, and then for the next bytes. */
  next(bytes: Uint8Array, from: number): number
}

/**
 * For one stream, however it is cut. A carriage return ends a line at once; when the line feed of the pair comes in other
 * bytes than it, that counts as an event of its own, so that nobody waits for it.
 */
export function eventEnds(): EventEnds {
  let blank = true // nothing on this line so far
  let afterReturn = false // a line feed now belongs to the carriage return before it
  let ended = false // and the event before it has been reported

  return {
    get settled() {
      return !ended
    },
    next(bytes, from) {
      const { length } = bytes
      for (let at = from; at < length; at++) {
        const byte = bytes[at] as number
        if (byte === lineFeed) {
          const ends = afterReturn ? ended : blank
          blank = true
          afterReturn = false
          ended = false
          if (ends) return at + 1
        } else if (byte === carriageReturn) {
          const ends = blank
          const paired = ends && bytes[at + 1] === lineFeed
          blank = true
          afterReturn = !paired
          ended = ends && !paired
          if (ends) return paired ? at + 2 : at + 1
        } else {
          blank = false
          afterReturn = false
          ended = false
          while (at + 1 < length && (bytes[at + 1] as number) > carriageReturn) at++
        }
      }
      return -1
    },
  }
}

/** True when an event ends at this place of a stream that begins with the bytes. */
export function endsEventAt(bytes: Uint8Array, place: number): boolean {
  const last = bytes[place - 1]
  if (last === carriageReturn && bytes[place] === lineFeed) return false // in the middle of a pair
  if (last !== lineFeed && last !== carriageReturn) return false
  const paired = last === lineFeed && bytes[place - 2] === carriageReturn
  const before = bytes[place - (paired ? 3 : 2)]
  return before === undefined || before === lineFeed || before === carriageReturn
}

const lineFeed = 10
const carriageReturn = 13
