import { crc32 } from 'node:zlib'
import { clock, contentEvent, doneEvent, finishEvent, usageEvent } from '../wire/events.ts'
import { chunk, lastChunk, streamHead } from './framing.ts'
import type { Outlet } from './outlet.ts'

/** What a client asked for. */
export interface StreamOrder {
  readonly seed: number
  readonly events: number
  readonly withUsage: boolean
  /** Called when the last bytes were handed over. */
  readonly onSent: () => void
}

interface Stream extends StreamOrder {
  readonly outlet: Outlet
  number: number
  due: number
  checksum: number
}

/** Streams with one event every `intervalMs`, the first at once. One timer looks after all of them. */
export function createTimedStreams(intervalMs: number) {
  const open = new Set<Stream>()
  const checksums: Record<string, number> = {}

  const serve = (stream: Stream) => {
    const { outlet, seed, events } = stream
    const event = contentEvent(seed, { number: stream.number, due: stream.due, sent: clock() })
    stream.checksum = crc32(event, stream.checksum)
    outlet.send(chunk(event))
    stream.number++
    stream.due += intervalMs
    if (stream.number === events) finish(stream)
  }
  const finish = (stream: Stream) => {
    const { outlet, seed, events, withUsage, onSent, checksum } = stream
    open.delete(stream)
    const end = finishEvent(seed)
    checksums[seed] = crc32(doneEvent, crc32(end, checksum))
    const usage = withUsage ? [chunk(usageEvent(seed, events))] : []
    outlet.send(Buffer.concat([chunk(end), ...usage, chunk(doneEvent), lastChunk]))
    onSent()
  }
  setInterval(() => {
    const now = clock()
    for (const stream of open) if (stream.due <= now) serve(stream)
  }, 1)

  return {
    open(outlet: Outlet, order: StreamOrder): void {
      const stream = { ...order, outlet, number: 0, due: clock(), checksum: 0 }
      outlet.onClose = () => open.delete(stream)
      open.add(stream)
      outlet.send(streamHead)
      serve(stream)
    },
    checksums: () => checksums,
  }
}
