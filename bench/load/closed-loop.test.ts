import { expect, test } from 'bun:test'
import { answerBody } from '../wire/answer.ts'
import { instantStream } from '../wire/instant-stream.ts'
import { closedLoop } from './closed-loop.ts'

const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answerBody.length}\r\n\r\n`
const answer = Buffer.concat([Buffer.from(head), answerBody])

/** A server on raw sockets that says what to do with the nth request. */
function serve(onRequest: (socket: { write(bytes: Buffer): unknown; end(): unknown }, count: number) => void) {
  let count = 0
  const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: socket => onRequest(socket, ++count) } })
  return { url: `http://127.0.0.1:${server.port}`, count: () => count, [Symbol.dispose]: () => server.stop(true) }
}

test('sends as many as it is told and says how far it is', async () => {
  using server = serve(socket => socket.write(answer))
  const progress: number[] = []
  const result = await closedLoop({ url: server.url, connections: 3, requests: 20, reportEvery: 10 }, total => progress.push(total))
  expect(result).toMatchObject({ answers: 20, total: 20, wrong: 0 })
  expect(server.count()).toBe(20)
  expect(progress).toEqual([10, 20])
})

test('goes on until every connection could have had an answer, so that the slow have a rate too', async () => {
  using server = serve(socket => void setTimeout(() => socket.write(answer), 300))
  const result = await closedLoop({ url: server.url, connections: 2, seconds: 0.05 }, () => {})
  expect(result).toMatchObject({ answers: 2, wrong: 0 })
  expect(result.seconds).toBeGreaterThanOrEqual(0.29)
  expect(result.perSecond).toBeLessThanOrEqual(2 / 0.29)
})

test('a stream is timed to its first event and to its end', async () => {
  const { bytes } = instantStream(2)
  const head = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${bytes.length}\r\n\r\n`)
  using server = serve(socket => {
    socket.write(Buffer.concat([head, bytes.subarray(0, 200)]))
    setTimeout(() => socket.write(bytes.subarray(200)), 20)
  })
  const result = await closedLoop({ url: server.url, connections: 1, requests: 3, events: 2 }, () => {})
  expect(result).toMatchObject({ answers: 3, wrong: 0 })
  expect(result.endP50Ms).toBeGreaterThanOrEqual(19)
  expect(result.endP50Ms).toBeGreaterThan(result.p50Ms)
})

test('a connection that breaks is counted and replaced', async () => {
  using server = serve((socket, count) => (count === 3 ? socket.end() : socket.write(answer)))
  const result = await closedLoop({ url: server.url, connections: 1, requests: 10 }, () => {})
  expect(result).toMatchObject({ answers: 9, total: 9, wrong: 1 })
  expect(result.firstWrong).toContain('closed')
})

test('nobody there is said', async () => {
  const { url, [Symbol.dispose]: stop } = serve(() => {})
  stop()
  const result = await closedLoop({ url, connections: 1, requests: 1 }, () => {})
  expect(result.firstWrong).toStartWith('no connection')
})
