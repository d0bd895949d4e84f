import { expect, test } from 'bun:test'
import { answerBody, answerText } from '../wire/answer.ts'
import { instantStream } from '../wire/instant-stream.ts'
import { createAnswerCheck, type Expected } from './answer-check.ts'

function faultOf(expected: Expected, status: number, ...bodies: readonly (Buffer | string)[]): string | undefined {
  const check = createAnswerCheck(expected)
  check.head(status, '')
  for (const body of bodies) check.body(Buffer.from(body))
  return check.fault()
}

const stream = instantStream(3).bytes

test('the upstream’s bytes pass, in however many pieces', () => {
  expect(faultOf({}, 200, answerBody)).toBeUndefined()
  expect(faultOf({}, 200, answerBody.subarray(0, 7), answerBody.subarray(7))).toBeUndefined()
  expect(faultOf({ events: 3 }, 200, stream.subarray(0, 100), stream.subarray(100))).toBeUndefined()
})

test('anything else does not, and the fault quotes it', () => {
  expect(faultOf({}, 200, answerBody.subarray(1))).toContain('status 200')
  expect(faultOf({}, 200, answerBody, ' ')).toBeDefined()
  expect(faultOf({}, 200)).toBeDefined()
  expect(faultOf({}, 502, answerBody)).toBeDefined()
  expect(faultOf({}, 503, '{"error":"busy"}')).toContain('status 503, 16 bytes: {"error":"busy"}')
  expect(faultOf({ events: 3 }, 200, instantStream(2).bytes)).toBeDefined()
  expect(faultOf({ events: 3 }, 200, stream.toString().replace('000001', '000002'))).toBeDefined()
})

test('a rival may write the JSON anew, but has to hand on what is in it', () => {
  const anew = JSON.stringify({ choices: [{ message: { content: answerText } }] })
  expect(faultOf({}, 200, anew)).toBeDefined()
  expect(faultOf({ rival: true }, 200, anew)).toBeUndefined()
  expect(faultOf({ rival: true }, 200, '{"choices":[]}')).toContain('not the upstream’s text')
  expect(faultOf({ rival: true }, 500, anew)).toContain('status 500')

  const events = { events: 3, rival: true }
  const spaced = stream.toString().replaceAll('"content":', '"content": ').replaceAll('chatcmpl-0', 'chatcmpl-x')
  expect(faultOf({ events: 3 }, 200, spaced)).toBeDefined()
  expect(faultOf(events, 200, spaced)).toBeUndefined()
  expect(faultOf(events, 200, instantStream(2).bytes)).toContain('2 of 3 events')
  expect(faultOf(events, 200, stream.toString().replace('000001', '000000'))).toContain('out of order')
  expect(faultOf(events, 200, stream.toString().replace('[DONE]', ''))).toContain('no [DONE]')
})

test('each answer is judged by itself', () => {
  const check = createAnswerCheck({})
  for (const [status, body, right] of [
    [200, answerBody, true],
    [500, Buffer.from('no'), false],
    [200, answerBody, true],
  ] as const) {
    check.head(status, '')
    check.body(body)
    expect(check.fault() === undefined).toBe(right)
  }
})

test('the first event is the first data, not a heartbeat', () => {
  const check = createAnswerCheck({ events: 3, rival: true })
  check.head(200, '')
  check.body(Buffer.from(': heartbeat\n\n'))
  expect(check.firstAt).toBe(0)
  check.body(stream)
  expect(check.firstAt).toBeGreaterThan(0)
})

test('what the cache says has to be what is expected', () => {
  const check = (cache: Expected['cache'], headers: string, body = answerBody) => {
    const check = createAnswerCheck(cache ? { cache } : {})
    check.head(200, `HTTP/1.1 200 OK${headers}`)
    check.body(body)
    return { missed: check.missed, fault: check.fault() }
  }
  const [hit, old, miss] = ['\r\nAge: 0\r\nx-cache: HIT', '\r\nage: 12\r\nx-cache: HIT', '\r\nX-Cache: MISS']
  for (const [cache, right, wrong] of [
    ['hit', [hit, old], [miss, '', '\r\nx-cache: HIT', '\r\nx-cache: BYPASS', '\r\nx-cache-age: 1\r\nx-cache: HIT']],
    ['miss', [miss], [hit, old, '', `${miss}\r\nage: 0`]],
    ['joined', [hit, miss], [old, '', '\r\nx-cache: HIT']],
  ] as const) {
    for (const headers of right) expect(check(cache, headers)).toEqual({ missed: headers === miss, fault: undefined })
    for (const headers of wrong) expect(check(cache, headers).fault).toEndWith(`instead of ${cache}`)
  }
  expect(check('joined', old).fault).toBe('the cache said HIT, age 12, instead of joined')
  expect(check(undefined, old).fault).toBeUndefined()
  expect(check('hit', hit, Buffer.from('{}')).fault).toContain('not the upstream’s answer')
})
