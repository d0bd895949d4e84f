import { answerBody, answerText } from '../wire/answer.ts'
import { instantStream } from '../wire/instant-stream.ts'
import { type CacheSaid, type CacheWord, cacheFault, readCacheSaid } from './cache-check.ts'

/** What is asked for and what the answer has to be. */
export interface Expected {
  /** Events of the stream that is asked for; without it, whole answers are. */
  readonly events?: number
  /** Rivals are sent a key, and may write the JSON anew: the upstream's content is enough, instead of its very bytes. */
  readonly rival?: boolean
  /** Sent as the bearer. */
  readonly key?: string
  /** What the cache has to say; without it, nobody looks. */
  readonly cache?: CacheWord
}

/** Follows the answers on one connection. */
export interface AnswerCheck {
  /** `text` holds the headers. */
  head(status: number, text: string): void
  body(bytes: Buffer): void
  /** At the end of an answer: what was wrong with it. */
  fault(): string | undefined
  /** When the first event of the last answer came, on the clock of `performance.now()`. */
  readonly firstAt: number
  /** The cache called the last answer a MISS. */
  readonly missed: boolean
}

/** Checks answer by answer. Comparing bytes where that is possible keeps it far cheaper than what is measured. */
export function createAnswerCheck({ events, rival: lenient = false, cache }: Expected): AnswerCheck {
  const expected = events === undefined ? answerBody : instantStream(events).bytes
  let status = 0
  let length = 0
  let same = true
  let firstAt = 0
  let parts: Buffer[] = []
  let said: CacheSaid | undefined

  return {
    head(code, text) {
      status = code
      said = cache && readCacheSaid(text)
      ;[length, same, firstAt, parts] = [0, true, 0, []]
    },
    body(bytes) {
      if (firstAt === 0 && (events === undefined || bytes.indexOf('data:') !== -1)) firstAt = performance.now()
      if (!lenient && same) same = bytes.equals(expected.subarray(length, length + bytes.length))
      length += bytes.length
      // what an error says is worth showing
      if (lenient || !same || status !== 200) parts.push(Buffer.from(bytes))
    },
    fault() {
      if (status === 200 && !lenient && same && length === expected.length) return cache && said && cacheFault(cache, said)
      const text = Buffer.concat(parts).toString()
      const fault = status === 200 && lenient ? contentFault(text, events) : 'not the upstream’s answer'
      return fault && `${fault}; status ${status}, ${length} bytes: ${text.slice(0, 200)}`
    },
    get firstAt() {
      return firstAt
    },
    get missed() {
      return said?.word === 'MISS'
    },
  }
}

/** What is missing in an answer that need not be the upstream's to the byte. */
function contentFault(text: string, events: number | undefined): string | undefined {
  if (events === undefined) return text.includes(answerText) ? undefined : 'not the upstream’s text'
  const numbers = [...text.matchAll(/"content": ?"(\d{6}) /g)].map(match => Number(match[1]))
  if (numbers.length !== events) return `${numbers.length} of ${events} events`
  if (numbers.some((number, i) => number !== i)) return 'events out of order'
  return text.includes('data: [DONE]') ? undefined : 'no [DONE] at the end'
}
