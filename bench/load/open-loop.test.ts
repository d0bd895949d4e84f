import { expect, test } from 'bun:test'
import { answerBody } from '../wire/answer.ts'
import { type OpenLoopOrder, openLoop } from './open-loop.ts'

const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answerBody.length}\r\n\r\n`
const answer = Buffer.concat([Buffer.from(head), answerBody])

/** A server on raw sockets; `onRequest` is given a way to answer. */
function serve(onRequest: (answer: (bytes?: Buffer) => void, count: number) => void) {
  let count = 0
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket) {
        onRequest((bytes = answer) => void socket.write(bytes), ++count)
      },
    },
  })
  return { url: `http://127.0.0.1:${server.port}`, count: () => count, [Symbol.dispose]: () => server.stop(true) }
}

const order = {
  ratePerSecond: 200,
  arrivals: 'constant',
  seed: 1,
  seconds: 0.5,
  warmUpSeconds: 0.1,
  connections: 2,
  mostConnections: 50,
} as const
const run = (url: string, more: Partial<OpenLoopOrder> = {}) => openLoop({ url, ...order, ...more })

test('sends what the schedule says and counts what was measured', async () => {
  using server = serve(reply => reply())
  const result = await run(server.url)
  expect(server.count()).toBe(120)
  expect(result).toMatchObject({ scheduled: 100, answered: 100, total: 120, wrong: 0, unanswered: 0 })
  expect(result.p50Ms).toBeGreaterThan(0)
  expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms)
})

test('a server that stalls does not hold requests back, and every one of them shows the stall', async () => {
  const held: (() => void)[] = []
  // nothing is answered before all have been asked: a closed loop would never get there
  using server = serve((reply, count) => {
    held.push(reply)
    if (count === 120) for (const release of held) release()
  })
  const result = await run(server.url, { mostConnections: 200 })
  expect(result).toMatchObject({ scheduled: 100, answered: 100, unanswered: 0 })
  // they left over half a second and were answered at once: half of them waited a quarter of a second or more
  expect(result.p50Ms).toBeGreaterThan(200)
  expect(result.p99Ms).toBeGreaterThan(450)
})

test('the time counts from the schedule when there is no connection free', async () => {
  let answered = 0
  using server = serve(reply =>
    setTimeout(() => {
      answered++
      reply()
    }, 20),
  )
  // one connection with 20 ms per answer can do 50 per second at most; 100 are asked for
  const result = await run(server.url, { ratePerSecond: 100, seconds: 0.4, warmUpSeconds: 0, connections: 1, mostConnections: 1 })
  expect(answered).toBe(40)
  expect(result.answered).toBe(40)
  expect(result.connections).toBe(1)
  expect(result.p99Ms).toBeGreaterThan(300)
})

test('wrong answers are counted, never timed', async () => {
  const refusal = Buffer.from('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy')
  using server = serve((reply, count) => reply(count % 2 === 0 ? answer : refusal))
  const result = await run(server.url, { warmUpSeconds: 0 })
  expect(result).toMatchObject({ scheduled: 100, answered: 50, wrong: 50, total: 50 })
  expect(result.firstWrong).toContain('status 503')
})

test('what is never answered counts with the time it has waited', async () => {
  using server = serve((reply, count) => {
    if (count <= 10) reply()
  })
  const result = await run(server.url, { ratePerSecond: 100, seconds: 0.2, warmUpSeconds: 0, drainSeconds: 1 })
  expect(result).toMatchObject({ scheduled: 20, answered: 10, unanswered: 10 })
  expect(result.p99Ms).toBeGreaterThan(1000)
})
