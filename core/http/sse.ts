import { defaultMaxBytes } from './pending-bytes.ts'
import { createBlockReader } from './sse-blocks.ts'

/** One block of an event stream. */
export interface SseEvent {
  /** The exact bytes, the blank line included. */
  readonly raw: Uint8Array
  /** The `data:` lines, joined by newlines; undefined when there is none (comments, `retry:`, a lone blank line). */
  readonly data: string | undefined
  /** The event's name, when it has one. */
  readonly event: string | undefined
}

/** Turns the bytes of a stream into events, however they are cut. */
export interface SseReader {
  /** The events that are whole now. Their `raw` may be a view of `chunk`. */
  feed(chunk: Uint8Array): SseEvent[]
  /** A last event that was never ended: real servers forget the blank line. Its `raw` is completed. */
  end(): SseEvent[]
}

export interface SseReaderOptions {
  /** An event longer than this is a 502; 64 MiB by default. */
  readonly maxEventBytes?: number
}

/** A reader for one event stream (WHATWG rules). */
export function createSseReader({ maxEventBytes = defaultMaxBytes }: SseReaderOptions = {}): SseReader {
  const blocks = createBlockReader(maxEventBytes)
  return {
    feed: chunk => blocks.feed(chunk).map(readEvent),
    end() {
      const block = blocks.end()
      return block === undefined ? [] : [readEvent(block)]
    },
  }
}

/** The fields of one whole block. */
export function readEvent(raw: Uint8Array): SseEvent {
  const text = decoder.decode(raw)
  const plain = text.startsWith('data: ') && text.indexOf('\n') === text.length - 2 && !text.includes('\r')
  return plain ? { raw, data: text.slice(6, -2), event: undefined } : readFields(raw, text)
}

// A mark inside the stream is content.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function readFields(raw: Uint8Array, text: string): SseEvent {
  let data: string[] | undefined
  let event: string | undefined
  for (const line of text.split(lineEnd)) {
    const colon = line.indexOf(':')
    const name = colon === -1 ? line : line.slice(0, colon)
    if (name !== 'data' && name !== 'event') continue
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'event') event = value === '' ? undefined : value
    else if (data) data.push(value)
    else data = [value]
  }
  return { raw, data: data?.join('\n'), event }
}

const lineEnd = /\r\n|\r|\n/
