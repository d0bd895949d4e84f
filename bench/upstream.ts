/**
 * The fake upstream, a process of its own: `bun bench/upstream.ts [--interval MS] [--rate BYTES_PER_SECOND]`. Raw sockets:
 * it has to cost far less than what is measured (Bun.serve took twice the time per answer), and only a
 * socket says how many bytes it really took. Prints its port.
 */
import { parseArgs } from 'node:util'
import type { Socket } from 'bun'
import { createEndless } from './upstream/endless.ts'
import { createOutlet, type Outlet } from './upstream/outlet.ts'
import type { UpstreamReport } from './upstream/report.ts'
import { createTimedStreams } from './upstream/timed-streams.ts'
import { answerBody } from './wire/answer.ts'
import { createRequestReader, type ReadRequest } from './wire/request-reader.ts'
import { endlessly } from './wire/requests.ts'

const { values } = parseArgs({ options: { interval: { type: 'string', default: '50' }, rate: { type: 'string', default: 'Infinity' } } })

interface Connection {
  readonly feed: (bytes: Buffer) => void
  readonly outlet: Outlet
}

const answer = whole(answerBody)
const models = whole(Buffer.from('{"object":"list","data":[{"id":"bench","object":"model","created":1750000000,"owned_by":"bench"}]}'))
const timed = createTimedStreams(Number(values.interval))
const endless = createEndless(Number(values.rate))
let answered = 0

const server = Bun.listen<Connection>({
  hostname: '127.0.0.1',
  port: 0,
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
console.log(JSON.stringify({ port: server.port }))

function serve({ method, path, close, body }: ReadRequest, outlet: Outlet, socket: Socket<Connection>): void {
  if (path === '/bench/report') outlet.send(whole(Buffer.from(JSON.stringify(report()))))
  else if (method === 'GET') outlet.send(models)
  else if (call(body, outlet) === 'stream') return
  if (close) socket.end()
}

function call(body: Buffer, outlet: Outlet): 'whole' | 'stream' {
  const { stream, seed = 0, max_tokens = 0, stream_options } = JSON.parse(body.toString())
  answered++
  if (!stream) outlet.send(answer)
  else if (max_tokens >= endlessly) endless.open(outlet)
  else timed.open(outlet, { seed, events: max_tokens, withUsage: stream_options?.include_usage === true })
  return stream ? 'stream' : 'whole'
}

function report(): UpstreamReport {
  return { answered, checksums: timed.checksums(), endless: endless.sent() }
}

function whole(body: Buffer): Buffer {
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}
