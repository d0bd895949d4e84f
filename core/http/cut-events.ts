import { endsEventAt, eventEnds } from './event-ends.ts'

/**
 * The largest length up to `most` at which an event ends. When the first event alone is longer, where that one ends;
 * when it does not end, all of the bytes.
 */
export function cutAtEvent(bytes: Uint8Array, most: number): number {
  const { length } = bytes
  const start = Math.min(Math.max(0, Math.floor(most)), length)
  for (let at = start; at > 0; at--) {
    if (endsEventAt(bytes, at)) return at
  }
  for (let at = start + 1; at < length; at++) {
    if (endsEventAt(bytes, at)) return at
  }
  return length
}

/** The events of a recorded stream, each with its blank line, and what is left behind the last. They are views. */
export function* eachEvent(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  const ends = eventEnds()
  let start = 0
  for (let end = ends.next(bytes, 0); end !== -1; end = ends.next(bytes, end)) {
    yield bytes.subarray(start, end)
    start = end
  }
  if (start < bytes.length) yield bytes.subarray(start)
}
