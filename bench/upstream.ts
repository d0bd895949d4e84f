/**
 * The fake upstream, a process of its own: `bun bench/upstream.ts [--port N] [--interval MS] [--rate BYTES_PER_SECOND]`.
 * With `--interval 0` the events of a stream come without a pause. Raw sockets: it has to cost far less than what is
 * measured (Bun.serve took twice the time per answer), and only a socket says how many bytes it really took. Prints its
 * port, or why it cannot listen.
 */
import { parseArgs } from 'node:util'
import type { Socket } from 'bun'
import { createEndless } from './upstream/endless.ts'
import { createInstantStreams } from './upstream/instant-streams.ts'
import { createOutlet, type Outlet } from './upstream/outlet.ts'
import type { UpstreamReport } from './upstream/report.ts'
import { createTimedStreams } from './upstream/timed-streams.ts'
import { answerBody } from './wire/answer.ts'
import { createRequestReader, type ReadRequest } from './wire/request-reader.ts'
import { endlessly } from './wire/requests.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    interval: { type: 'string', default: '50' },
    rate: { type: 'string', default: 'Infinity' },
  },
})

interface Connection {
  readonly feed: (bytes: Buffer) => void
  readonly outlet: Outlet
}

const answer = whole(answerBody)
const models = whole(Buffer.from('{"object":"list","data":[{"id":"bench","object":"model","created":1750000000,"owned_by":"bench"}]}'))
const intervalMs = Number(values.interval)
const timed = createTimedStreams(intervalMs)
const instant = createInstantStreams()
const endless = createEndless(Number(values.rate))
let answered = 0

try {
  console.log(JSON.stringify({ port: listen(Number(values.port)) }))
} catch (error) {
  console.log(JSON.stringify({ failed: error instanceof Error ? error.message : String(error) }))
  process.exit(1)
}

function listen(port: number): number {
  const server = Bun.listen<Connection>({
    hostname: '127.0.0.1',
    port,
    socket: {
      open(socket) {
        const outlet = createOutlet(socket)
        socket.data = { outlet, feed: createRequestReader(request => serve(request, outlet, socket)) }
      },
      data: (socket, bytes) => socket.data.feed(bytes),
      drain: socket => socket.data.outlet.drained(),
      close: socket => socket.data.outlet.closed(),
    },
  })
  return server.port
}

function serve({ method, path, close, body }: ReadRequest, outlet: Outlet, socket: Socket<Connection>): void {
  const onSent = () => {
    if (close) socket.end()
  }
  if (method === 'POST') call(body, outlet, onSent)
  else {
    outlet.send(path === '/bench/report' ? whole(Buffer.from(JSON.stringify(report()))) : models)
    onSent()
  }
}

function call(body: Buffer, outlet: Outlet, onSent: () => void): void {
  const { stream, seed = 0, max_tokens: events = 0, stream_options } = JSON.parse(body.toString())
  const withUsage = stream_options?.include_usage === true
  answered++
  if (!stream) {
    outlet.send(answer)
    onSent()
  } else if (events >= endlessly) endless.open(outlet)
  else if (intervalMs === 0) instant.open(outlet, { events, withUsage, onSent })
  else timed.open(outlet, { seed, events, withUsage, onSent })
}

function report(): UpstreamReport {
  return { answered, checksums: timed.checksums(), endless: endless.sent() }
}

function whole(body: Buffer): Buffer {
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}
