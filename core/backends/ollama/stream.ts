import type { GatewayError } from '../../errors.ts'
import { createNdjsonReader } from '../../http/ndjson.ts'
import { endedEarly, type OllamaAnswer, parseAnswer, unreadable } from './answer.ts'
import { inStreamError } from './errors.ts'

/** Turns the lines of one answer into the events of another. */
export interface Translator {
  /** The data of the events for one line, none when it adds nothing; undefined when it is no such answer at all. */
  line(answer: OllamaAnswer): readonly unknown[] | undefined
  /** The data of the events after the last answer. */
  end(): readonly unknown[]
}

/** Asks for the next streamed answer; `left` aborts when nobody reads any more. */
export type OpenBody = (left: AbortSignal) => Promise<ReadableStream<Uint8Array>>

const encoder = new TextEncoder()

/**
 * Ollama's NDJSON as OpenAI's server-sent events, in one enqueue per chunk that says something. Reads only when it is
 * read from, `rest` one after another once `first` is through, and leaves Ollama at once when it is cancelled.
 * An error Ollama reports becomes the last event; one of the connection breaks the stream.
 */
export function translateStream(
  first: ReadableStream<Uint8Array>,
  rest: readonly OpenBody[],
  translator: Translator,
): ReadableStream<Uint8Array> {
  const waiting = [...rest]
  const left = new AbortController()
  let lines = createNdjsonReader()
  let reader = first.getReader()
  let answered = false // this body has had its line with `done`
  let over = false // the last event is written

  const fail = (error: GatewayError | string): string => {
    over = true
    return sse(inStreamError(error))
  }
  const readLine = (line: string): string => {
    if (over || answered) return ''
    const answer = parseAnswer(line)
    if (!answer) return fail(unreadable())
    if (typeof answer.error === 'string') return fail(answer.error)
    const events = translator.line(answer)
    if (!events) return fail(unreadable())
    answered = answer.done === true
    return events.map(sse).join('') + (answered && waiting.length === 0 ? finish() : '')
  }
  const finish = (): string => {
    over = true
    return `${translator.end().map(sse).join('')}data: [DONE]\n\n`
  }
  const read = async (): Promise<{ done: boolean; value?: Uint8Array | undefined }> => {
    try {
      return await reader.read()
    } catch (error) {
      // What breaks after the last event no longer matters.
      if (over) return { done: true }
      throw error
    }
  }
  const next = async (): Promise<void> => {
    const open = waiting.shift()
    if (!open) return
    reader = (await open(left.signal)).getReader()
    lines = createNdjsonReader()
    answered = false
  }
  const leave = () => reader.cancel().catch(() => {})

  const source = {
    async pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      for (;;) {
        const { done, value } = await read()
        let events = (value ? lines.feed(value) : lines.end()).map(readLine).join('')
        if (done && !over && !answered) events += fail(endedEarly())
        if (events !== '') controller.enqueue(encoder.encode(events))
        const failed = over && !answered
        if (failed && !done) leave()
        // After a good last event Ollama is read to its end: only then can its connection be used again.
        if (failed || (done && over)) return controller.close()
        if (done) await next()
        if (events !== '') return
      }
    },
    cancel() {
      over = true
      left.abort()
      return leave()
    },
  }
  // Nothing is read ahead: the client's pace is Ollama's pace.
  return new ReadableStream(source, { highWaterMark: 0 })
}

const sse = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`
