import { createServer, type Socket } from 'node:net'
import { listenOnFreePort } from './server/free-port.ts'

/** A backend that sends any bytes, for answers no HTTP library would write. */
export interface RawUpstream {
  readonly url: string
  /** How many requests arrived. */
  readonly requests: () => number
  stop(): Promise<void>
}

/** Calls `answer` with the socket once a request's head and body are there. */
export async function rawUpstream(answer: (socket: Socket, count: number) => void): Promise<RawUpstream> {
  const sockets = new Set<Socket>()
  let count = 0
  const server = createServer(socket => {
    sockets.add(socket)
    let received = ''
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', bytes => {
      received += bytes.toString('latin1')
      const end = received.indexOf('\r\n\r\n')
      const length = Number(received.match(/content-length: *(\d+)/i)?.[1] ?? 0)
      if (end === -1 || received.length < end + 4 + length) return
      received = ''
      answer(socket, ++count)
    })
  })
  const port = await listenOnFreePort(server)
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => count,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** A whole HTTP answer. */
export const httpAnswer = (status: string, headers: Readonly<Record<string, string>>, body: string): string =>
  `HTTP/1.1 ${status}\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n${body}`

/** The head of an event stream in chunks, and a chunk. */
export const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
export const httpChunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
