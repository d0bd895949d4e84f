import type { Exchange } from '../server/exchange.ts'
import type { FinishReason, Refusal, Step } from './scenario.ts'
import type { ToolCall } from './tool-arguments.ts'

/** A whole answer, put together from its steps. */
export interface WholeAnswer {
  readonly text: string
  readonly thinking: string
  readonly calls: readonly ToolCall[]
  readonly reason: FinishReason
}

/** A reply that is sent at once. */
export interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** How one server writes one answer: the events of a stream, or the whole of it. */
export interface Writer {
  readonly streaming: boolean
  readonly streamHeaders: Readonly<Record<string, string>>
  readonly wholeHeaders?: Readonly<Record<string, string>>
  /** True when the server closes the connection behind a stream. */
  readonly hangsUp?: boolean
  /** What comes before anything else in a stream. */
  begin(): string[]
  text(text: string): string[]
  think(text: string): string[]
  calls(calls: readonly ToolCall[]): string[]
  /** The end of a stream, with all that the server sends there. */
  finish(reason: FinishReason, tail?: string): string[]
  /** The error that a server sends inside a stream; `cut` when it just lets the connection drop. */
  fail(): string[] | 'cut'
  whole(answer: WholeAnswer): unknown
  refuse(why: Refusal | 'fail'): Reply
}

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
      if (split) await sendInPieces(exchange, event)
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

async function performWhole(exchange: Exchange, steps: Iterable<Step>, writer: Writer): Promise<void> {
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
      case 'fail':
        return reply(exchange, writer.refuse('fail'))
      case 'cut':
        if (text !== '') await sendHalf(exchange, headers, writer.whole({ text, thinking, calls, reason: 'stop' }))
        return exchange.cut()
      case 'finish': {
        const body = writer.whole({ text: text + (step.tail ?? ''), thinking, calls, reason: step.reason })
        if (!opened && !split) return exchange.reply(200, body, headers)
        if (!opened) exchange.open(200, headers)
        if (split) await sendInPieces(exchange, asText(body))
        else await exchange.send(asText(body))
        return exchange.end()
      }
      default:
        if (await performBefore(exchange, step, writer)) return
    }
  }
}

/** The steps that are the same in both forms; true when they end the answer. */
async function performBefore(exchange: Exchange, step: Step, writer: Writer): Promise<boolean> {
  if (step.do === 'wait') await exchange.pause(step.ms)
  if (step.do === 'hold') await exchange.hold()
  if (step.do === 'refuse') reply(exchange, writer.refuse(step.why))
  if (step.do === 'redirect') {
    exchange.reply(307, '', { location: `/elsewhere${exchange.request.path}`, 'content-type': 'text/plain' })
  }
  return step.do === 'refuse' || step.do === 'redirect'
}

function reply(exchange: Exchange, { status, body, headers }: Reply): void {
  exchange.reply(status, body, headers)
}

function asText(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

async function sendHalf(exchange: Exchange, headers: Readonly<Record<string, string>>, body: unknown): Promise<void> {
  const bytes = Buffer.from(asText(body))
  exchange.open(200, { ...headers, 'content-length': String(bytes.length) })
  await exchange.send(bytes.subarray(0, bytes.length >> 1))
  await exchange.pause(20)
}

/** Cuts the text inside each of its characters, a write for each piece, so that no read ends where a character does. */
async function sendInPieces(exchange: Exchange, text: string): Promise<void> {
  const bytes = Buffer.from(text)
  let start = 0
  for (let index = 1; index < bytes.length; index++) {
    if ((bytes[index] ?? 0) >> 6 !== 0b10) continue
    await exchange.write(bytes.subarray(start, index))
    await exchange.pause(2)
    start = index
  }
  await exchange.send(bytes.subarray(start))
}
