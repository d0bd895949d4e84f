import { afterAll, expect, test } from 'bun:test'
import { askHealth, describeHealth, pause, untilWell } from './health.ts'

let answer: () => Response | Promise<Response> = () => new Response()
let asked: (string | null)[][] = []
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    asked.push([request.headers.get('authorization'), request.headers.get('connection')])
    return answer()
  },
})
afterAll(() => server.stop(true))
const url = `http://127.0.0.1:${server.port}/health`
const never = new AbortController().signal

test.each([
  ['200', () => new Response('{"status":"ok"}'), 'well'],
  ['503', () => new Response('{"error":{"message":"Loading model"}}', { status: 503 }), { status: 503 }],
  ['a redirect', () => Response.redirect('http://127.0.0.1:1/'), { status: 302 }],
  ['silence', () => new Promise<Response>(() => {}), { silent: 'no answer within 100 ms' }],
] as const)('%s', async (_, next, expected) => {
  answer = next
  expect(await askHealth({ url }, 100)).toEqual(expected)
})

test('nobody there', async () => {
  const health = await askHealth({ url: 'http://127.0.0.1:1/health' }, 1_000)
  expect(describeHealth(health)).toMatch(/refused/i)
})

test('the key of the child goes along, and no connection is kept', async () => {
  answer = () => new Response()
  asked = []
  await askHealth({ url, apiKey: 'sk-child' }, 1_000)
  await askHealth({ url }, 1_000)
  expect(asked).toEqual([
    ['Bearer sk-child', 'close'],
    [null, 'close'],
  ])
})

test('asks until it is well', async () => {
  let left = 5
  answer = () => new Response(null, { status: left-- > 0 ? 503 : 200 })
  expect(await untilWell({ url }, 5_000, never)).toBe('well')
  expect(left).toBe(-1)
})

test('gives up in time, with what was said last, and at once when nobody wants to know', async () => {
  answer = () => new Response(null, { status: 404 })
  const before = performance.now()
  expect(await untilWell({ url }, 1_500, never)).toEqual({ status: 404 })
  expect(performance.now() - before).toBeLessThan(10_000)
  answer = () => new Promise(() => {})
  const unwanted = new AbortController()
  setTimeout(() => unwanted.abort(), 50)
  expect(await untilWell({ url }, 60_000, unwanted.signal)).not.toBe('well')
})

test('a pause ends early when it is called off', async () => {
  const early = new AbortController()
  const before = performance.now()
  setTimeout(() => early.abort(), 20)
  await pause(60_000, early.signal)
  await pause(60_000, early.signal)
  await pause(-1, never)
  expect(performance.now() - before).toBeLessThan(20_000)
})
