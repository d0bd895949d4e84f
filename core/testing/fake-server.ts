import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ClientLeft, type Exchange, openExchange } from './server/exchange.ts'
import { listenOnFreePort } from './server/free-port.ts'
import { type State, watchState } from './server/state.ts'

/** One request as the fake received it. */
export interface RecordedRequest {
  readonly method: string
  /** The path with its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
  /** The parsed body, or undefined when it is not JSON. */
  readonly json: unknown
  /** True when the client went away before it had sent the whole body. */
  readonly cutShort: boolean
}

/** One answer to a model request, from the moment the fake took the request on. */
export interface StreamRecord {
  readonly model: string
  /** Events handed to the socket; a whole JSON answer counts as one. */
  eventsSent: number
  /** Body bytes the socket has accepted. */
  bytesSent: number
  ended: 'complete' | 'client-left' | 'broken' | undefined
}

/** A running fake upstream. */
export interface FakeServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string
  readonly port: number
  readonly requests: RecordedRequest[]
  readonly streams: StreamRecord[]
  /** Resolves as soon as `check` holds; rejects after `ms` (5000) with a message naming `what`. */
  until(check: () => boolean, what: string, ms?: number): Promise<void>
  /** Lets every request that a `hold…` model keeps waiting go on. */
  release(): void
  /** Forgets requests, streams and what the `…-once` models remember; the `n=` counter goes on. */
  clear(): void
  /** Closes the listener and every socket. */
  stop(): Promise<void>
}

/** How a fake is started. */
export interface FakeOptions {
  /** The port to listen on; by default a free one. */
  readonly port?: number
  /** When set, requests without it get the server's own 401. */
  readonly apiKey?: string
  /** The models the server lists. */
  readonly models?: readonly string[]
  /** The pause between the chunks of `slow` (500). */
  readonly chunkDelayMs?: number
}

/** Answers one request; what it throws becomes a 500 that names the fake's own fault. */
export type Answer = (exchange: Exchange) => Promise<void>

/** Starts an HTTP server that records what it gets and answers with `answer`. */
export async function startFake(options: FakeOptions, answer: Answer): Promise<FakeServer> {
  const state = watchState()
  const sockets = new Set<Socket>()
  const server = createServer((incoming, response) => void serve(state, incoming, response, answer))
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const port = await listenOnFreePort(server, options.port)
  const stop = () => {
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    state.stop()
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    return closed
  }
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests: state.requests,
    streams: state.streams,
    until: state.until,
    release: state.release,
    clear: state.clear,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function serve(state: State, incoming: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const request = await receive(incoming)
  state.requests.push(request)
  state.changed()
  if (request.cutShort) return
  const exchange = openExchange(request, incoming, response, state)
  try {
    await answer(exchange)
  } catch (error) {
    if (error instanceof ClientLeft) return
    // A fault of the fake must be loud, not look like one of the gateway's cases.
    console.error('fake server fault:', error)
    exchange.cut()
  }
}

function receive(incoming: IncomingMessage): Promise<RecordedRequest> {
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    const done = (cutShort: boolean) => resolve(record(incoming, Buffer.concat(chunks), cutShort))
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => done(false))
    incoming.on('close', () => done(true))
    incoming.on('error', () => done(true))
  })
}

function record(incoming: IncomingMessage, bytes: Buffer, cutShort: boolean): RecordedRequest {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return { method: incoming.method ?? '', path: incoming.url ?? '', headers, bytes, json: parse(bytes), cutShort }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
