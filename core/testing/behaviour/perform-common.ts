import type { Exchange } from '../server/exchange.ts'
import type { Step } from './scenario.ts'
import type { Writer } from './writer.ts'

/** The steps that are the same in both forms; true when they end the answer. */
export async function performBefore(exchange: Exchange, step: Step, writer: Writer): Promise<boolean> {
  if (step.do === 'wait') await exchange.pause(step.ms)
  if (step.do === 'hold') await exchange.hold()
  if (step.do === 'refuse') {
    const { status, body, headers } = writer.refuse(step.why)
    exchange.reply(status, body, headers)
  }
  if (step.do === 'redirect') {
    exchange.reply(307, '', { location: `/elsewhere${exchange.request.path}`, 'content-type': 'text/plain' })
  }
  return step.do === 'refuse' || step.do === 'redirect'
}

/** Cuts the text inside each of its characters, a write for each piece, so that no read ends where a character does. */
export async function sendInPieces(exchange: Exchange, bytes: Buffer): Promise<void> {
  let start = 0
  for (let index = 1; index < bytes.length; index++) {
    if ((bytes[index] ?? 0) >> 6 !== 0b10) continue
    await exchange.write(bytes.subarray(start, index))
    await exchange.pause(2)
    start = index
  }
  await exchange.send(bytes.subarray(start))
}
