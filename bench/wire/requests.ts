/** The request every load sends: a short chat. */
const chat = { model: 'bench', messages: [{ role: 'user', content: 'Say something short about the sea.' }] }

/** The bytes of a call that wants a whole answer. */
export const wholeRequest = (host: string): Buffer => post(host, chat)

/** Who asks for so many events gets a stream without end. */
export const endlessly = 1_000_000

/** The bytes of a call that wants a stream of `events` events. `seed` names the stream. */
export const streamRequest = (host: string, seed: number, events: number): Buffer =>
  post(host, { ...chat, stream: true, seed, max_tokens: events })

function post(host: string, payload: object): Buffer {
  const body = JSON.stringify(payload)
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    `host: ${host}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}
