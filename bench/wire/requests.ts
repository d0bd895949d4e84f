/** The model every request asks for. */
export const model = 'bench'

/** What is asked when nothing else is said. */
const plainPrompt = 'Say something short about the sea.'

/** What rivals are sent as an API key, because some insist on one. No secret: the same for everybody. */
export const rivalKey = 'sk-bench-not-a-secret'

/** How a request differs from the usual one. */
export interface RequestOptions {
  readonly key?: string | undefined
  readonly prompt?: string | undefined
}

/** The bytes of a call that wants a whole answer. */
export const wholeRequest = (url: URL, options?: RequestOptions): Buffer => post(url, {}, options)

/** Who asks for so many events gets a stream without end. */
export const endlessly = 1_000_000

/** The bytes of a call that wants a stream of `events` events. `seed` names the stream. */
export const streamRequest = (url: URL, seed: number, events: number, options?: RequestOptions): Buffer =>
  post(url, { stream: true, seed, max_tokens: events }, options)

function post({ host, pathname }: URL, more: object, { key, prompt = plainPrompt }: RequestOptions = {}): Buffer {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: prompt }], ...more })
  const head = [
    `POST ${pathname.replace(/\/$/, '')}/v1/chat/completions HTTP/1.1`,
    `host: ${host}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(key === undefined ? [] : [`authorization: Bearer ${key}`]),
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}
