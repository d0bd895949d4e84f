import type { Socket } from 'bun'

/** One side of a hop between two sockets. */
export interface End {
  /** The other side; undefined until it is there. */
  other: Socket<End> | undefined
  /** What the socket did not take yet; its other side is paused meanwhile. */
  waiting: Uint8Array[]
  ended: boolean
}

/** A side whose other one is not there yet. */
export const newEnd = (other?: Socket<End>): End => ({ other, waiting: [], ended: false })

/** What comes in on one side goes out on the other, in order, and no faster than it leaves. */
export const relay = {
  data(from: Socket<End>, bytes: Uint8Array): void {
    const to = from.data.other
    if (!to) return
    const { waiting } = to.data
    const sent = waiting.length > 0 ? 0 : Math.max(0, to.write(bytes))
    if (sent === bytes.length) return
    waiting.push(bytes.slice(sent))
    from.pause()
  },

  drain(to: Socket<End>): void {
    const { waiting, other } = to.data
    while (waiting[0]) {
      const sent = Math.max(0, to.write(waiting[0]))
      if (sent < waiting[0].length) {
        waiting[0] = waiting[0].subarray(sent)
        return
      }
      waiting.shift()
    }
    if (other?.data.ended) to.end()
    else other?.resume()
  },

  close({ data }: Socket<End>): void {
    data.ended = true
    const { other } = data
    // what is still on its way to the other side leaves first
    if (other && other.data.waiting.length === 0) other.end()
  },

  error(): void {},
}
