import { type Context, createUsageFilter, GatewayError, isJson, longestAnswer, streamHeaders } from 'gatehouse'
import { eventsOf, type Form, inForm } from '../form.ts'
import type { Opened, Reader } from './flight.ts'

/** A reader's share of a flight, as the answer to its request. Rejects when the flight fails to begin or the client leaves. */
export async function readAlong(ctx: Context, reader: Reader, form: Form): Promise<Response> {
  const { signal } = ctx
  const over = reader.leave
  let giveUp: (reason: unknown) => void = () => {}
  /** What comes, unless the client leaves first. */
  const orLeft = <T>(work: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      giveUp = reject
      if (signal.aborted) reject(signal.reason)
      else work.then(resolve, reject)
    })
  // never taken away again: the signal ends with the request
  signal.addEventListener('abort', () => {
    over()
    giveUp(signal.reason)
  })
  ctx.onSettled(over) // a layer above may have forgotten the stream
  try {
    const opened = await orLeft(reader.opened)
    if (opened.body) {
      over()
      return wholeAnswer(opened, opened.body, form)
    }
    if (form.stream) return new Response(follow(reader, form, over), { headers: new Headers(opened.headers) })
    const body = await orLeft(gather(reader))
    over()
    const answer = inForm({ head: { form: 'events', contentType: '', model: '', tokens: 0, tookMs: 0 }, body }, form)
    if (!answer) throw notWhole()
    for (const [name, value] of opened.headers) if (!(name in streamHeaders)) answer.headers.set(name, value)
    return answer
  } catch (error) {
    over()
    throw error
  }
}

function wholeAnswer({ status, headers }: Opened, body: Uint8Array<ArrayBuffer>, form: Form): Response {
  const events = form.stream && status === 200 && isJson({ headers }) ? eventsOf(body, form) : undefined
  if (!events) return new Response(body, { status, headers: new Headers(headers) })
  const own = new Headers(headers)
  for (const [name, value] of Object.entries(streamHeaders)) own.set(name, value)
  return new Response(events, { headers: own })
}

/** What the flight brings, as the client wants it; the client's pace is this reader's pace. */
function follow(reader: Reader, { usage }: Form, over: () => void): ReadableStream<Uint8Array> {
  const filter = usage ? undefined : createUsageFilter()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const bytes = await reader.read()
            const shown = filter ? (bytes ? filter.feed(bytes) : filter.end()) : bytes
            if (shown && shown.length > 0) controller.enqueue(shown)
            if (!bytes) {
              over()
              return controller.close()
            }
            if (shown && shown.length > 0) return
          }
        } catch (error) {
          over()
          controller.error(error)
        }
      },
      cancel: over,
    },
    { highWaterMark: 0 },
  )
}

async function gather(reader: Reader): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  let length = 0
  for (let bytes = await reader.read(); bytes; bytes = await reader.read()) {
    length += bytes.length
    if (length > longestAnswer) throw notWhole()
    parts.push(bytes)
  }
  return Buffer.concat(parts)
}

const notWhole = () =>
  new GatewayError(502, 'server_error', 'bad_gateway', 'The model backend sent a stream that does not make a whole answer.')
