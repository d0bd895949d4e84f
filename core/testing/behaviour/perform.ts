import type { Exchange } from '../server/exchange.ts'
import { performBefore, sendInPieces } from './perform-common.ts'
import { performWhole } from './perform-whole.ts'
import type { Step } from './scenario.ts'
import type { Writer } from './writer.ts'

/** Plays the steps of a behaviour in a server's dialect. */
export async function perform(exchange: Exchange, model: string, steps: Iterable<Step>, writer: Writer): Promise<void> {
  exchange.track(model)
  if (writer.streaming) await performStream(exchange, steps, writer)
  else await performWhole(exchange, steps, writer)
}

async function performStream(exchange: Exchange, steps: Iterable<Step>, writer: Writer): Promise<void> {
  let opened = false
  let begun = false
  const open = () => {
    if (!opened) exchange.open(200, writer.streamHeaders)
    opened = true
  }
  const send = async (events: string[], split = false) => {
    open()
    const all = begun ? events : [...writer.begin(), ...events]
    begun = true
    for (const event of all) {
      if (split) await sendInPieces(exchange, Buffer.from(event))
      else await exchange.send(event)
    }
  }
  const cut = async () => {
    // What the socket has taken must leave before it is destroyed.
    if (opened) await exchange.pause(20)
    exchange.cut()
  }
  for (const step of steps) {
    switch (step.do) {
      case 'open':
        open()
        break
      case 'text':
        await send(writer.text(step.text), step.split)
        break
      case 'think':
        await send(writer.think(step.text))
        break
      case 'calls':
        await send(writer.calls(step.calls))
        break
      case 'finish':
        if (step.reason !== 'none') await send(writer.finish(step.reason, step.tail))
        return exchange.end(writer.hangsUp)
      case 'fail': {
        const events = writer.fail()
        if (events === 'cut') return cut()
        await send(events)
        return exchange.end(writer.hangsUp)
      }
      case 'cut':
        return cut()
      default:
        if (await performBefore(exchange, step, writer)) return
    }
  }
}
