import { bytesOf, type Exchange } from '../server/exchange.ts'
import { performBefore, sendInPieces } from './perform-common.ts'
import type { Step } from './scenario.ts'
import type { ToolCall } from './tool-arguments.ts'
import type { Writer } from './writer.ts'

/** Plays the steps as one whole answer. */
export async function performWhole(exchange: Exchange, steps: Iterable<Step>, writer: Writer): Promise<void> {
  const headers = { 'content-type': 'application/json', ...writer.wholeHeaders }
  const calls: ToolCall[] = []
  let opened = false
  let text = ''
  let thinking = ''
  let split = false
  for (const step of steps) {
    switch (step.do) {
      case 'open':
        opened = true
        exchange.open(200, headers)
        break
      case 'text':
        text += step.text
        split ||= step.split ?? false
        // An endless answer must not eat the memory of the test.
        if (text.length > 8 * 1024 * 1024) await exchange.hold()
        break
      case 'think':
        thinking += step.text
        break
      case 'calls':
        calls.push(...step.calls)
        break
      case 'fail': {
        const { status, body, headers: own } = writer.refuse('fail')
        return exchange.reply(status, body, own)
      }
      case 'cut':
        if (text !== '') await sendHalf(exchange, headers, writer.whole({ text, thinking, calls, reason: 'stop' }))
        return exchange.cut()
      case 'finish': {
        const body = writer.whole({ text: text + (step.tail ?? ''), thinking, calls, reason: step.reason })
        if (!opened && !split) return exchange.reply(200, body, headers)
        if (!opened) exchange.open(200, headers)
        if (split) await sendInPieces(exchange, bytesOf(body))
        else await exchange.send(bytesOf(body))
        return exchange.end()
      }
      default:
        if (await performBefore(exchange, step, writer)) return
    }
  }
}

async function sendHalf(exchange: Exchange, headers: Readonly<Record<string, string>>, body: unknown): Promise<void> {
  const bytes = bytesOf(body)
  exchange.open(200, { ...headers, 'content-length': String(bytes.length) })
  await exchange.send(bytes.subarray(0, bytes.length >> 1))
  await exchange.pause(20)
}
