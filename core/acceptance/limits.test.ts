import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { eventually, openPair, type Pair } from './harness.ts'

setDefaultTimeout(30_000)

let pair: Pair
beforeAll(async () => {
  pair = await openPair({ env: { RATE_LIMIT_RPS: '5' } })
})
afterAll(() => pair?.[Symbol.asyncDispose]())

test('A65 more than the rate', async () => {
  const replies = await Promise.all(Array.from({ length: 8 }, () => pair.chat()))
  const [good, late] = [replies.filter(({ status }) => status === 200), replies.filter(({ status }) => status === 429)]
  expect(good.length).toBeGreaterThanOrEqual(5)
  expect(late.length).toBe(8 - good.length)
  expect(late.length).toBeGreaterThan(0)
  for (const { headers, json } of late) {
    expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    expect(json()).toMatchObject({
      error: { message: 'Rate limit exceeded', type: 'rate_limit_error', code: 'rate_limit_exceeded', request_id: expect.any(String) },
    })
  }
  expect(pair.chatsSeen()).toBe(good.length)
  await eventually(async () => (await pair.chat()).status === 200, 'a request after a while')
})

test('A67 health is not limited', async () => {
  const replies = await Promise.all(Array.from({ length: 100 }, () => pair.ask('/health', { headers: {} })))
  expect(replies.map(({ status }) => status)).toEqual(Array(100).fill(200))
})
