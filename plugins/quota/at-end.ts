import type { Sent } from './sent.ts'

/**
 * The same stream, whose end waits until the charge is safe: whoever got all of it has paid for it, also when gatehouse is
 * killed in that moment. Clients that know the last event by its words do not wait for the end of the connection.
 */
export function settleAtEnd(
  body: ReadableStream<Uint8Array>,
  operation: string,
  sent: Pick<Sent, 'take'>,
  settle: () => Promise<void>,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  const isLast = lastEvent(operation)
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
          if (isLast(value)) await settle()
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

/** As the official SDKs know it. Inside of a text the quotes would be escaped, so no model can say it. */
const lastWords: Readonly<Record<string, readonly string[]>> = {
  messages: ['"type":"message_stop"', '"type": "message_stop"'],
  responses: ['completed', 'incomplete', 'failed'].flatMap(end => [`"type":"response.${end}"`, `"type": "response.${end}"`]),
  infill: ['"stop":true', '"stop": true'],
}

/** Says whether the last event of an answer is among these bytes. */
function lastEvent(operation: string): (bytes: Uint8Array) => boolean {
  const words = lastWords[operation]
  if (!words) return saysDone
  return ({ buffer, byteOffset, byteLength }) => {
    const bytes = Buffer.from(buffer, byteOffset, byteLength)
    return words.some(one => bytes.includes(one))
  }
}

/** The model's own text cannot look like this: its line breaks are escaped. */
const saysDone = ({ buffer, byteOffset, byteLength }: Uint8Array) => {
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  const at = bytes.lastIndexOf('data: [DONE]')
  return at === 0 || (at > 0 && bytes[at - 1] === 10)
}
