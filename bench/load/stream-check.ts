import { crc32 } from 'node:zlib'
import { type EventMark, isFinish, readMark } from '../wire/events.ts'

/** What one stream turned out to be. */
export interface StreamCheck {
  feed(bytes: Buffer): void
  /** Different content events seen, and those that came after a later one or a second time. */
  readonly distinct: number
  readonly disordered: number
  /** One finish reason, then one `[DONE]`, and nothing after it. */
  readonly finished: boolean
  /** CRC-32 over the bytes of all events, without comments. */
  readonly checksum: number
}

/** Checks a stream of `events` numbered events as its bytes come in. */
export function createStreamCheck(events: number, onMark: (mark: EventMark) => void): StreamCheck {
  const seen = new Uint8Array(events)
  let pending: Buffer | undefined
  let [last, distinct, disordered, finishes, dones, trailing, checksum] = [-1, 0, 0, 0, 0, 0, 0]

  const take = (event: Buffer) => {
    if (event[0] === colon) return // a heartbeat
    if (dones > 0) trailing++
    checksum = crc32(event, checksum)
    const mark = readMark(event)
    if (!mark) {
      if (isFinish(event)) finishes++
      else if (event.toString('latin1', 0, 12) === 'data: [DONE]') dones++
      return
    }
    onMark(mark)
    if (!seen[mark.number]) distinct++
    if (mark.number <= last) disordered++
    seen[mark.number] = 1
    last = Math.max(last, mark.number)
  }

  return {
    feed(bytes) {
      const data = pending ? Buffer.concat([pending, bytes]) : bytes
      let at = 0
      for (let end = data.indexOf('\n\n'); end !== -1; end = data.indexOf('\n\n', at)) {
        take(data.subarray(at, end + 2))
        at = end + 2
      }
      pending = at < data.length ? data.subarray(at) : undefined
    },
    get distinct() {
      return distinct
    },
    get disordered() {
      return disordered
    },
    get finished() {
      return finishes === 1 && dones === 1 && trailing === 0 && pending === undefined
    },
    get checksum() {
      return checksum
    },
  }
}

const colon = 58
