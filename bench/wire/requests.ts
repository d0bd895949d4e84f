/** The model every request asks for. */
export const model = 'bench'

/** The request every load sends: a short chat. */
const chat = { model, messages: [{ role: 'user', content: 'Say something short about the sea.' }] }

/** What rivals are sent as an API key, because some insist on one. No secret: the same for everybody. */
export const rivalKey = 'sk-bench-not-a-secret'

/** The bytes of a call that wants a whole answer. */
export const wholeRequest = (url: URL, key?: string): Buffer => post(url, chat, key)

/** Who asks for so many events gets a stream without end. */
export const endlessly = 1_000_000

/** The bytes of a call that wants a stream of `events` events. `seed` names the stream. */
export const streamRequest = (url: URL, seed: number, events: number, key?: string): Buffer =>
  post(url, { ...chat, stream: true, seed, max_tokens: events }, key)

function post({ host, pathname }: URL, payload: object, key?: string): Buffer {
  const body = JSON.stringify(payload)
  const head = [
    `POST ${pathname.replace(/\/$/, '')}/v1/chat/completions HTTP/1.1`,
    `host: ${host}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(key === undefined ? [] : [`authorization: Bearer ${key}`]),
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}
