import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RecordedRequest, StreamRecord } from '../fake-server.ts'
import type { State } from './state.ts'

/** Thrown out of any wait or write once the client is gone. */
export class ClientLeft extends Error {}

/** One request on its way to an answer. */
export interface Exchange {
  readonly request: RecordedRequest
  readonly state: State
  /** Notes that an answer of `model` begins. */
  track(model: string): void
  /** Sends the status line and headers now. */
  open(status: number, headers: Readonly<Record<string, string>>): void
  /** Sends one event, or the last piece of one, and waits until the socket has taken it. */
  send(event: string | Buffer): Promise<void>
  /** Sends a piece of an event. */
  write(piece: Buffer): Promise<void>
  /** Ends an opened answer as it should end; `hangUp` closes the connection behind it. */
  end(hangUp?: boolean): void
  /** A whole answer. Objects are sent as JSON, strings and bytes as they are. */
  reply(status: number, body: unknown, headers?: Readonly<Record<string, string>>): void
  /** Resets the connection before an answer, or closes it in the middle of one. */
  cut(): void
  pause(ms: number): Promise<void>
  /** Waits for `release()`. */
  hold(): Promise<void>
}

/** Wraps node's request and response. */
export function openExchange(request: RecordedRequest, incoming: IncomingMessage, response: ServerResponse, state: State): Exchange {
  let stream: StreamRecord | undefined
  let wake: (() => void) | undefined
  let gone = false

  const ended = (how: NonNullable<StreamRecord['ended']>) => {
    if (stream) stream.ended ??= how
    state.changed()
  }
  response.on('close', () => {
    gone = true
    ended('client-left')
    wake?.()
  })
  response.on('error', () => undefined)

  // One place to wait in, so that the client's leaving ends every wait at once.
  const wait = async (begin: (done: () => void) => () => void) => {
    if (gone) throw new ClientLeft()
    await new Promise<void>(resolve => {
      const stop = begin(resolve)
      wake = () => {
        stop()
        resolve()
      }
    })
    wake = undefined
    if (gone) throw new ClientLeft()
  }
  const write = async (bytes: Buffer) => {
    if (gone) throw new ClientLeft()
    if (!response.write(bytes)) {
      await wait(done => {
        response.once('drain', done)
        return () => response.off('drain', done)
      })
    }
    if (stream) stream.bytesSent += bytes.length
  }

  return {
    request,
    state,
    track(model) {
      stream = { model, eventsSent: 0, bytesSent: 0, ended: undefined }
      state.streams.push(stream)
      state.changed()
    },
    open(status, headers) {
      response.writeHead(status, headers)
      response.flushHeaders()
      response.socket?.setNoDelay(true)
    },
    async send(event) {
      await write(typeof event === 'string' ? Buffer.from(event) : event)
      if (stream) stream.eventsSent++
      state.changed()
    },
    write,
    end(hangUp = false) {
      ended('complete')
      response.end()
      // At once, as the real one does: a client must not have the time to use the connection again.
      if (hangUp) incoming.socket.destroySoon()
    },
    reply(status, body, headers = {}) {
      const bytes = bytesOf(body)
      const type = headers['content-type'] === undefined ? { 'content-type': 'application/json' } : {}
      response.writeHead(status, { ...type, ...headers, 'content-length': String(bytes.length) })
      if (stream) {
        stream.bytesSent += bytes.length
        stream.eventsSent++
      }
      ended('complete')
      response.end(bytes)
    },
    cut() {
      ended('broken')
      // Before any byte a real reset; later a plain close, for a reset would take back what was sent.
      if (response.headersSent) incoming.socket.destroy()
      else incoming.socket.resetAndDestroy()
    },
    pause: ms =>
      wait(done => {
        const timer = setTimeout(done, ms)
        return () => clearTimeout(timer)
      }),
    hold: () => wait(done => state.hold(done)),
  }
}

/** A body as it is sent: objects as JSON, strings and bytes as they are. */
export function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}
