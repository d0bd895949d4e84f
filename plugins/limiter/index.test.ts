import { expect, test } from 'bun:test'
import { openHouse } from '../../core/testing/open-house.ts'

const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hi' }] })

test('beyond the rate: 429 with Retry-After, and the open paths go on', async () => {
  await using house = await openHouse({ yaml: { backends: { up: { type: 'echo' } }, rate_limit_rps: 5 } })
  const responses = await Promise.all(Array.from({ length: 12 }, () => fetch(`${house.url}/v1/chat/completions`, { method: 'POST', body })))
  const passed = responses.filter(({ status }) => status === 200)
  expect(passed.length).toBeGreaterThanOrEqual(5)
  expect(passed.length).toBeLessThan(12)
  expect(passed[0]?.headers.get('x-ratelimit-limit-requests')).toBe('5')
  const refused = responses.find(({ status }) => status === 429) as Response
  expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
  expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0')
  expect(await refused.json()).toMatchObject({
    error: { message: 'Rate limit exceeded', type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  })
  expect(house.lines.find(({ message }) => message === 'Rate limit exceeded')).toMatchObject({
    limiter_decision: 'rate_limited',
    path: '/v1/chat/completions',
    retry_after_seconds: 1,
  })
  const health = await Promise.all(Array.from({ length: 100 }, () => fetch(`${house.url}/health`)))
  expect(health.every(({ status }) => status === 200)).toBe(true)
})

test('unknown paths and the model list count too', async () => {
  await using house = await openHouse({ yaml: { backends: { up: { type: 'echo' } }, rate_limit_rps: 1 } })
  expect((await fetch(`${house.url}/nope`)).status).toBe(404)
  expect((await fetch(`${house.url}/v1/models`)).status).toBe(429)
})

test('the bucket drains', async () => {
  await using house = await openHouse({ yaml: { backends: { up: { type: 'echo' } }, rate_limit_rps: 20 } })
  const burst = await Promise.all(Array.from({ length: 30 }, () => fetch(`${house.url}/v1/models`)))
  const refused = burst.filter(({ status }) => status === 429)
  expect(refused.length).toBeGreaterThan(0)
  let again = await fetch(`${house.url}/v1/models`)
  for (let i = 0; i < 100 && again.status === 429; i++) {
    await Bun.sleep(20)
    again = await fetch(`${house.url}/v1/models`)
  }
  expect(again.status).toBe(200)
})
