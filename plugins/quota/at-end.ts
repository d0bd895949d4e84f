/** How much of a stream has gone out. */
export interface Sent {
  /** Events, which stand for about one token each. */
  readonly events: number
  take(chunk: Uint8Array): void
}

export function countSent(): Sent {
  let events = 0
  return {
    get events() {
      return events
    },
    take({ buffer, byteOffset, byteLength }) {
      const bytes = Buffer.from(buffer, byteOffset, byteLength)
      for (let at = bytes.indexOf(eventEnd); at !== -1; at = bytes.indexOf(eventEnd, at + 2)) events++
    },
  }
}

const eventEnd = '\n\n'

/**
 * The same stream, whose end waits until the charge is safe: whoever got all of it has paid for it, also when gatehouse is
 * killed in that moment. `[DONE]` is the end for clients that do not wait for the connection.
 */
export function settleAtEnd(body: ReadableStream<Uint8Array>, sent: Sent, settle: () => Promise<void>): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done) {
            await settle()
            return controller.close()
          }
          sent.take(value)
          if (saysDone(value)) await settle()
          controller.enqueue(value)
        } catch (error) {
          controller.error(error)
        }
      },
      cancel: reason => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

/** The model's own text cannot look like this: its line breaks are escaped. */
const saysDone = ({ buffer, byteOffset, byteLength }: Uint8Array) => {
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  const at = bytes.lastIndexOf('data: [DONE]')
  return at === 0 || (at > 0 && bytes[at - 1] === 10)
}
