import { isObject, type JsonObject, parseJson } from './json-object.ts'
import { createSseReader, type SseEvent } from './sse.ts'

/** Puts the model's name as the client knows it into a stream that is passed on in its own dialect. */
export interface StreamRenamer {
  feed(chunk: Uint8Array): Uint8Array
  end(): Uint8Array
}

/**
 * Only events that name a model are touched: Anthropic's `message_start` (`message.model`), the Responses
 * events (`response.model`) and OpenAI-like chunks (`model`). All others are forwarded as their very bytes.
 */
export function createRenamer(model: string): StreamRenamer {
  const reader = createSseReader()
  const rename = (events: readonly SseEvent[]) => Buffer.concat(events.map(event => renameEvent(event, model) ?? event.raw))
  return {
    feed: chunk => rename(reader.feed(chunk)),
    end: () => rename(reader.end()),
  }
}

/** A whole answer under the asked name, or undefined when it already is. */
export function renameAnswer(json: unknown, model: string): JsonObject | undefined {
  if (!isObject(json)) return
  if (typeof json.model === 'string' && json.model !== model) return { ...json, model }
  for (const field of ['message', 'response'] as const) {
    const inner = json[field]
    if (isObject(inner) && typeof inner.model === 'string' && inner.model !== model) return { ...json, [field]: { ...inner, model } }
  }
}

const encoder = new TextEncoder()

function renameEvent({ data, event }: SseEvent, model: string): Uint8Array | undefined {
  if (data === undefined || !data.includes('"model"')) return
  const renamed = renameAnswer(parseJson(data), model)
  if (renamed) return encoder.encode(`${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(renamed)}\n\n`)
}
