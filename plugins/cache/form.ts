import { type Context, createUsageFilter, cutAtEvent, eachEvent, streamHeaders, toEvents, toWhole } from 'gatehouse'
import type { Answer } from './kept.ts'

/** How a client wants its answer: the same answer is kept once for all forms. */
export interface Form {
  /** As events. */
  readonly stream: boolean
  /** With the usage event in them. */
  readonly usage: boolean
  readonly operation: 'chat.completions' | 'completions' | 'embeddings'
}

/** The form a request asks for. */
export function formOf({ operation, payload }: Pick<Context, 'operation' | 'payload'>): Form {
  const stream = payload.stream === true && operation !== 'embeddings'
  return { stream, usage: payload.stream_options?.include_usage === true, operation: operation as Form['operation'] }
}

/** More than this at once is cut between events, so that a slow client does not hold all of it in its socket. */
const mostAtOnce = 64 * 1024

/** A kept answer in the form a client wants: the very bytes when it was made in that form. Undefined when it cannot be turned into it. */
export function inForm({ head, body }: Answer, form: Form, eventsPerSecond?: number): Response | undefined {
  if (!form.stream) {
    if (head.form === 'json') return new Response(body, { headers: { 'content-type': head.contentType } })
    const whole = toWhole(body, { operation: form.operation })
    return whole && Response.json(whole)
  }
  const events = head.form === 'events' ? withoutUsage(body, form) : eventsOf(body, form)
  if (!events) return
  return new Response(eventsPerSecond === undefined ? atOnce(events) : paced(events, eventsPerSecond), { headers: streamHeaders })
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** A whole answer as events; undefined when it has no choices to tell of. */
export function eventsOf(body: Uint8Array, { operation, usage }: Form): Uint8Array<ArrayBuffer> | undefined {
  const answer = parse(body)
  if (!Array.isArray(answer?.choices)) return
  return encoder.encode(toEvents(answer, { chat: operation === 'chat.completions', includeUsage: usage }))
}

function parse(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    return JSON.parse(decoder.decode(body)) ?? undefined
  } catch {
    return undefined
  }
}

/** The usage event is the last but one: only the end of the stream is looked at. */
const longestEnd = 16 * 1024

function withoutUsage(body: Uint8Array<ArrayBuffer>, { usage }: Form): Uint8Array<ArrayBuffer> {
  if (usage) return body
  const end = body.length > longestEnd ? cutAtEvent(body, body.length - longestEnd) : 0
  const filter = createUsageFilter()
  const rest = filter.feed(body.subarray(end))
  return Buffer.concat([body.subarray(0, end), rest, filter.end()])
}

/** As fast as the client reads. */
function atOnce(events: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  if (events.length <= mostAtOnce) return events
  let at = 0
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const rest = events.subarray(at)
        const length = cutAtEvent(rest, mostAtOnce)
        at += length
        controller.enqueue(rest.subarray(0, length))
        if (at >= events.length) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}

/** One event after the other, at an even pace. */
function paced(events: Uint8Array, perSecond: number): ReadableStream<Uint8Array> {
  const pieces = eachEvent(events)
  let dueAt = performance.now()
  let timer: Timer | undefined
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = pieces.next()
        if (done) return controller.close()
        const wait = dueAt - performance.now()
        if (wait > 0) {
          await new Promise<void>(resolve => {
            timer = setTimeout(resolve, wait)
          })
        }
        // a client that pauses gets no burst for it afterwards
        dueAt = Math.max(dueAt, performance.now() - 1000 / perSecond) + 1000 / perSecond
        controller.enqueue(value)
      },
      cancel() {
        clearTimeout(timer)
      },
    },
    { highWaterMark: 0 },
  )
}
