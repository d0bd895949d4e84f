import { instantStream } from '../wire/instant-stream.ts'
import { chunk, lastChunk, streamHead } from './framing.ts'
import type { Outlet } from './outlet.ts'

/** What a client asked for. */
export interface InstantOrder {
  readonly events: number
  readonly withUsage: boolean
  /** Called when the last byte has left. */
  readonly onSent: () => void
}

/**
 * Streams without a pause: each event is a write of its own, one per turn of the loop, so that streams that are open at
 * the same time take turns and nobody gets a whole stream in one read. Waits for a client that does not read.
 */
export function createInstantStreams() {
  const prebuilt = new Map<string, readonly Buffer[]>()

  const writesOf = (events: number, withUsage: boolean): readonly Buffer[] => {
    const key = `${events} ${withUsage}`
    const known = prebuilt.get(key)
    if (known) return known
    const { content, finish, usage, done } = instantStream(events)
    const end = [chunk(finish), ...(withUsage ? [chunk(usage)] : []), chunk(done), lastChunk]
    const writes = [...content.map(chunk), Buffer.concat(end)]
    prebuilt.set(key, writes)
    return writes
  }

  return {
    open(outlet: Outlet, { events, withUsage, onSent }: InstantOrder): void {
      const writes = writesOf(events, withUsage)
      let next = 0
      let over = false
      let queued = false
      const pump = () => {
        queued = false
        if (over || !outlet.clear) return
        const write = writes[next++]
        if (write) outlet.send(write)
        else {
          over = true
          onSent()
        }
        if (!over && outlet.clear) queue()
      }
      const queue = () => {
        if (!queued) setImmediate(pump)
        queued = true
      }
      outlet.onClear = queue
      outlet.onClose = () => {
        over = true
      }
      outlet.send(streamHead)
      pump()
    },
  }
}
