import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Upstream } from './upstream.ts'

const agents = {
  'http:': new HttpAgent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 1024 }),
  'https:': new HttpsAgent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 1024 }),
}

/** What may wait for a client that reads slowly, in bytes per stream. */
const readAhead = 16_384

/**
 * One request whose answer is a stream, over `node:http` instead of `fetch`. For a client that reads slowly
 * `fetch` holds 256 KiB and up to twice a 512 KiB socket read per stream; a Node stream holds `readAhead`. It also
 * stays outside the runtime's limit on concurrent fetches. Costs about a third more CPU per event.
 */
export const sendForStream: Upstream = (url, { method, headers, body, signal, raw = false }) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const target = new URL(url)
    const secure = target.protocol === 'https:'
    const options = {
      method,
      headers: {
        ...headers,
        'content-length': String(body === undefined ? 0 : Buffer.byteLength(body)),
        ...(!raw && { 'accept-encoding': 'identity' }),
      },
      agent: headers.connection === 'close' ? false : secure ? agents['https:'] : agents['http:'],
      highWaterMark: readAhead, // goes to the socket (net.connect), which is why the types of a request do not list it
    }
    const request = (secure ? httpsRequest : httpRequest)(target, options)
    const done = () => signal.removeEventListener('abort', onAbort)
    const fail = (error: unknown) => {
      done()
      request.destroy()
      reject(error)
    }
    const onAbort = () => fail(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    request.on('error', error => fail(Object.assign(error, { reused: request.reusedSocket })))
    // an Error is dear, and every request is closed in the end
    let answered = false
    request.on('close', () => answered || fail(new Error('the connection closed without an answer')))
    request.on('upgrade', () => fail(new Error('the backend wants another protocol (101)')))
    request.on('response', message => {
      answered = true
      try {
        resolve(responseOf(message, signal, done, raw))
      } catch (error) {
        fail(error) // what is thrown in an event would end the process
      }
    })
    request.end(body)
  })

const withoutBody = new Set([204, 205, 304])

function responseOf(message: IncomingMessage, signal: AbortSignal, done: () => void, raw: boolean): Response {
  const status = message.statusCode ?? 0
  if (status < 200 || status > 599) throw new Error(`the backend answered with the status ${status}`)
  const headers = headersOf(message)
  if (withoutBody.has(status)) {
    done()
    message.resume()
    return new Response(null, { status, headers })
  }
  const body = bodyOf(message, signal, done)
  const encoding = headers.get('content-encoding')?.toLowerCase()
  if (raw || encoding === undefined || encoding === 'identity') return new Response(body, { status, headers })
  // we asked for none, but not every proxy listens
  return new Response(body.pipeThrough(new DecompressionStream(encoding as 'gzip')), { status, headers })
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.append(rawHeaders[i] as string, rawHeaders[i + 1] as string)
  return headers
}

/** Reads from the socket only when pulled. */
function bodyOf(message: IncomingMessage, signal: AbortSignal, done: () => void): ReadableStream<Uint8Array<ArrayBuffer>> {
  let wake: (() => void) | undefined
  let state: 'open' | 'ended' | 'broken' = 'open'
  let failure: unknown
  const change = (next: typeof state, error = brokenOff) => {
    if (state !== 'open') return
    state = next
    if (next === 'broken') failure = error()
    done()
    wake?.()
  }
  message.on('readable', () => wake?.())
  message.on('end', () => change(message.complete ? 'ended' : 'broken'))
  message.on('error', error => change('broken', () => error))
  message.on('close', () => change('broken'))

  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        for (;;) {
          const chunk = message.read() as Buffer<ArrayBuffer> | null
          if (chunk) return controller.enqueue(chunk)
          if (state === 'ended') return controller.close()
          if (state === 'broken') return controller.error(signal.aborted ? signal.reason : failure)
          await new Promise<void>(resolve => {
            wake = resolve
          })
          wake = undefined
        }
      },
      cancel() {
        done()
        message.destroy()
      },
    },
    { highWaterMark: 0 },
  )
}

const brokenOff = () => new Error('the connection closed before the answer was complete')
