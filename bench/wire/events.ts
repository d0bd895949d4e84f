/** What an event of the fake upstream says of itself. Times are milliseconds on a clock all processes share. */
export interface EventMark {
  /** 0, 1, 2 … within the stream. */
  readonly number: number
  /** When the upstream meant to send it, and when it did. */
  readonly due: number
  readonly sent: number
}

/** Milliseconds with a fraction, the same in every process of this machine. */
export const clock = (): number => performance.timeOrigin + performance.now()

/** Characters of several bytes, so that one that was cut or decoded on the way shows. */
const ballast = 'grün 海 🌊'

/** One content event. The stream's id is the `seed` of the request. */
export function contentEvent(seed: number, { number, due, sent }: EventMark): Buffer {
  const role = number === 0 ? '"role":"assistant",' : ''
  const mark = `${digits(number, 6)} ${due.toFixed(3)} ${sent.toFixed(3)}`
  return Buffer.from(`${head(seed)}[{"index":0,"delta":{${role}"content":"${mark} ${ballast}"},"finish_reason":null}]}\n\n`)
}

/** The event with the finish reason. */
export const finishEvent = (seed: number): Buffer => Buffer.from(`${head(seed)}[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n`)

/** The usage a client gets only when it asked for it; a gateway may ask in its place and then keeps it. */
export const usageEvent = (seed: number, events: number): Buffer =>
  Buffer.from(`${head(seed)}[],"usage":{"prompt_tokens":14,"completion_tokens":${events},"total_tokens":${14 + events}}}\n\n`)

export const doneEvent = Buffer.from('data: [DONE]\n\n')

/** Reads the mark of a content event; undefined for every other event. */
export function readMark(event: Buffer): EventMark | undefined {
  const at = event.indexOf(contentKey)
  if (at === -1) return
  const from = at + contentKey.length
  const [number, due, sent] = event.toString('latin1', from, event.indexOf('"', from)).split(' ').map(Number)
  return number === undefined || due === undefined || sent === undefined ? undefined : { number, due, sent }
}

/** True for the event that ends the only choice. */
export const isFinish = (event: Buffer): boolean => event.indexOf('"finish_reason":"') !== -1

const contentKey = '"content":"'

const digits = (number: number, length: number) => String(number).padStart(length, '0')

const head = (seed: number) =>
  `data: {"id":"chatcmpl-${seed}","object":"chat.completion.chunk","created":1750000000,"model":"bench","choices":`
