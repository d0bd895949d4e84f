import { expect, test } from 'bun:test'
import { answerBody } from '../wire/answer.ts'
import { createRequestReader } from '../wire/request-reader.ts'
import { type ClosedLoopOrder, closedLoop } from './closed-loop.ts'

interface Call {
  /** The number of its prompt. */
  readonly prompt: number
  answer(headers?: string): void
  hangUp(): void
}

/** A server on raw sockets that reads what is asked. */
function serve(onCall: (call: Call) => void) {
  const asked: number[] = []
  const server = Bun.listen<(bytes: Buffer) => void>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket) {
        socket.data = createRequestReader(({ body }) => {
          const prompt = Number(/(\d+)\./.exec(JSON.parse(body.toString()).messages[0].content)?.[1])
          asked.push(prompt)
          const answer = (headers = '') =>
            void socket.write(`HTTP/1.1 200 OK${headers}\r\ncontent-length: ${answerBody.length}\r\n\r\n${answerBody}`)
          onCall({ prompt, answer, hangUp: () => void socket.end() })
        })
      },
      data: (socket, bytes) => socket.data(bytes),
    },
  })
  return { url: `http://127.0.0.1:${server.port}`, asked, [Symbol.dispose]: () => server.stop(true) }
}

/** Answers when so many have asked, so that none of them can have been answered before another asked. */
function holdUntil(count: number, release: (held: readonly Call[]) => void): (call: Call) => void {
  let held: Call[] = []
  return call => {
    held.push(call)
    if (held.length < count) return
    const all = held
    held = []
    release(all)
  }
}

const run = (order: ClosedLoopOrder) => closedLoop(order, () => {})
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)
const [hit, miss] = ['\r\nage: 0\r\nx-cache: HIT', '\r\nx-cache: MISS']

test('every prompt is a new one, or so many come again and again', async () => {
  using server = serve(({ answer }) => answer())
  await run({ url: server.url, connections: 3, requests: 20, prompts: { from: 1000 } })
  expect(server.asked.toSorted()).toEqual(numbers(1000, 20))
  await run({ url: server.url, connections: 3, requests: 20, prompts: { from: 500, count: 7 } })
  expect(server.asked.slice(20).toSorted()).toEqual([...numbers(500, 7), ...numbers(500, 7), ...numbers(500, 6)].toSorted())
})

test('together, all ask for the same prompt before anybody asks for the next', async () => {
  using server = serve(
    holdUntil(4, held => {
      for (const [i, { answer }] of held.entries()) answer(i === 0 ? miss : hit)
    }),
  )
  const result = await run({ url: server.url, connections: 4, requests: 20, prompts: { from: 1 }, together: true, cache: 'joined' })
  expect(result).toMatchObject({ total: 20, wrong: 0, missed: 5 })
  expect(server.asked).toEqual(numbers(1, 5).flatMap(prompt => [prompt, prompt, prompt, prompt]))
})

test('together, nobody is left in the middle of a turn when the time is over', async () => {
  using server = serve(holdUntil(4, held => held.forEach(({ answer }, i) => void setTimeout(answer, i))))
  const result = await run({ url: server.url, connections: 4, seconds: 0.1, prompts: { from: 1 }, together: true })
  expect(result).toMatchObject({ wrong: 0 })
  expect(result.total).toBe(server.asked.length)
  expect(result.total % 4).toBe(0)
  expect(result.answers).toBeGreaterThanOrEqual(4)
})

test('together, a connection that breaks is counted, and its successor keeps step', async () => {
  using server = serve(({ answer, hangUp }) => (server.asked.length === 3 ? hangUp() : answer()))
  const result = await run({ url: server.url, connections: 2, requests: 10, prompts: { from: 1 }, together: true })
  expect(result).toMatchObject({ total: 9, wrong: 1 })
  expect(server.asked).toEqual(numbers(1, 5).flatMap(prompt => [prompt, prompt]))
})

test('together, those who wait do not wait for a connection that is gone for good', async () => {
  using server = serve(({ answer, hangUp }) => (server.asked.length === 1 ? hangUp() : answer()))
  const result = await run({ url: server.url, connections: 2, requests: 2, prompts: { from: 1 }, together: true })
  expect(result).toMatchObject({ total: 1, wrong: 1 })
})

test('an answer that the cache should not have given is wrong', async () => {
  using server = serve(({ prompt, answer }) => answer(prompt < 8 ? miss : hit))
  const result = await run({ url: server.url, connections: 1, requests: 10, prompts: { from: 0 }, cache: 'miss' })
  expect(result).toMatchObject({ answers: 8, total: 10, wrong: 2, missed: 8 })
  expect(result.firstWrong).toBe('the cache said HIT, age 0, instead of miss')
})
