import { clock, contentEvent } from '../wire/events.ts'
import { chunk, streamHead } from './framing.ts'
import type { Outlet } from './outlet.ts'

/** Large events, so that the buffers on the way fill before anybody's parser is the brake. */
const eventBytes = 16_384
/** Events a flood writes to one socket before the others get their turn. */
const floodBurst = 8

/** Streams without end, each at `perSecond` bytes, or with Infinity as fast as its socket takes them. */
export function createEndless(perSecond: number) {
  const streams: { readonly outlet: Outlet; open: boolean }[] = []
  const event = chunk(largeEvent())
  const pauseMs = (event.length * 1000) / perSecond
  const burst = pauseMs > 0 ? 1 : floodBurst

  return {
    open(outlet: Outlet): void {
      const stream = { outlet, open: true }
      const pump = () => {
        for (let i = 0; i < burst && stream.open && outlet.clear; i++) outlet.send(event)
        if (!stream.open || !outlet.clear) return
        if (pauseMs > 0) setTimeout(pump, pauseMs)
        else setImmediate(pump)
      }
      outlet.onClear = pump
      outlet.onClose = () => {
        stream.open = false
      }
      streams.push(stream)
      outlet.send(streamHead)
      pump()
    },
    sent: () => streams.map(({ outlet, open }) => ({ bytes: outlet.taken, open })),
  }
}

function largeEvent(): Buffer {
  const event = contentEvent(0, { number: 1, due: clock(), sent: clock() }).toString()
  return Buffer.from(event.replace('"content":"', `"content":"${'x'.repeat(eventBytes)} `))
}
