import { describe, expect, test } from 'bun:test'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { allSettled, chatWith, comesTrue } from '../../core/testing/keyed.ts'
import { type ManagedKey, makeKey } from '../../core/testing/managed-key.ts'
import { type House, openHouse } from '../../core/testing/open-house.ts'

const yaml = { backends: { up: { type: 'echo' } } }

/** All that a client is told by a refusal. */
async function told(response: Response) {
  const { error } = (await response.json()) as {
    error: { type: string; code: string; message: string; param: unknown; request_id: string }
  }
  const limits = Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('x-ratelimit')))
  return {
    status: response.status,
    type: error.type,
    code: error.code,
    message: error.message,
    retryAfter: response.headers.get('retry-after'),
    shouldRetry: response.headers.get('x-should-retry'),
    limits,
  }
}

/** What the request that was refused could have left behind. */
async function left({ serving }: House, { id }: ManagedKey, tokensPerMinute = 1000) {
  const { store, leases, ledger } = serving.gateway
  const lease = await leases.take(`key:${id}`, 1)
  if (lease.granted) lease.lease.release()
  const minute = await store.giveBack(`tokens:${id}`, { perMinute: tokensPerMinute, burst: tokensPerMinute }, 0)
  const { reserved } = await ledger.balance({ keyId: id, period: 'total', limit: null })
  return { lease: !lease.granted, minute: tokensPerMinute - (minute?.remaining ?? 0), reserved }
}
const nothing = { lease: false, minute: 0, reserved: 0 }

describe('a refusal says all there is to know', () => {
  test('of requests per minute', async () => {
    await using house = await openHouse({ yaml })
    const key = await makeKey(house, { rateLimit: 3 })
    const passed = await chatWith(house, key)
    expect(passed.headers.get('x-ratelimit-limit-requests')).toBe('3')
    expect(passed.headers.get('x-ratelimit-remaining-requests')).toBe('2')
    expect(passed.headers.get('x-ratelimit-reset-requests')).toMatch(/^(19\d\d\d|20000)ms$/)
    await Promise.all([chatWith(house, key), chatWith(house, key)])
    const { limits, ...refusal } = await told(await chatWith(house, key))
    expect(refusal).toEqual({
      status: 429,
      type: 'rate_limit_error',
      code: 'rate_limit_exceeded',
      message: 'Rate limit exceeded',
      retryAfter: expect.stringMatching(/^(20|1\d)$/), // less what a busy machine took
      shouldRetry: null,
    })
    expect(limits).toMatchObject({ 'x-ratelimit-limit-requests': '3', 'x-ratelimit-remaining-requests': '0' })
    expect(Number.parseInt(limits['x-ratelimit-reset-requests'] as string, 10)).toBeWithin(50_000, 60_001) // then it is as empty as at first
    expect(await left(house, key)).toEqual(nothing)
  })

  test('of a key that may send nothing', async () => {
    await using house = await openHouse({ yaml })
    const { limits, ...refusal } = await told(await chatWith(house, await makeKey(house, { rateLimit: 0 })))
    expect(refusal).toMatchObject({ status: 429, code: 'rate_limit_exceeded', retryAfter: '60' })
    expect(limits).toEqual({
      'x-ratelimit-limit-requests': '0',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '60000ms',
    })
    const tokens = await makeKey(house, { tokensPerMinute: 0 })
    expect(await told(await chatWith(house, tokens))).toMatchObject({
      status: 429,
      retryAfter: '60',
      limits: { 'x-ratelimit-limit-tokens': '0', 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '60000ms' },
    })
    expect(await told(await chatWith(house, await makeKey(house, { maxConcurrency: 0 })))).toMatchObject({
      status: 429,
      code: 'too_many_concurrent_requests',
    })
    expect(await told(await chatWith(house, await makeKey(house, { quota: 0 })))).toMatchObject({ status: 429, code: 'insufficient_quota' })
  })

  test('of requests at a time', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: { backends: { up: { type: 'openai-compatible', base_url: upstream.url } } } })
    const key = await makeKey(house, { maxConcurrency: 2, tokensPerMinute: 1000 })
    const held = [chatWith(house, key, { model: 'hold' }), chatWith(house, key, { model: 'hold-first', stream: true })]
    await upstream.until(() => upstream.requests.length === 2, 'both are there')
    expect(await told(await chatWith(house, key))).toMatchObject({
      status: 429,
      type: 'rate_limit_error',
      code: 'too_many_concurrent_requests',
      message: 'Rate limit exceeded: this API key may have 2 requests at a time',
      retryAfter: '1',
      shouldRetry: null,
    })
    upstream.release()
    for (const response of held) await (await response).text()
    await allSettled(house, key)
    expect(await left(house, key)).toMatchObject({ lease: false, reserved: 0 })
    expect((await chatWith(house, key)).status).toBe(200)
  })

  test('of tokens per minute', async () => {
    await using house = await openHouse({ yaml })
    const key = await makeKey(house, { tokensPerMinute: 1000, maxConcurrency: 1, quota: 100_000 })
    const first = await chatWith(house, key, { max_tokens: 500 })
    expect(first.status).toBe(200)
    await first.text()
    // as much as drains in 54 seconds: what the first one really used is gone before a busy machine gets to the second
    const bucket = { perMinute: 1000, burst: 1000 }
    await house.serving.gateway.store.giveBack(`tokens:${key.id}`, bucket, -900)
    const before = await left(house, key)
    const { limits, ...refusal } = await told(await chatWith(house, key, { max_tokens: 5000 }))
    expect(refusal).toMatchObject({
      status: 429,
      type: 'rate_limit_error',
      code: 'rate_limit_exceeded',
      message: 'Rate limit exceeded: too many tokens per minute',
      shouldRetry: null,
    })
    expect(Number(refusal.retryAfter)).toBeWithin(1, 61)
    expect(limits).toMatchObject({ 'x-ratelimit-limit-tokens': '1000' })
    // a smaller one might pass
    expect(Number(limits['x-ratelimit-remaining-tokens'])).toBeWithin(50, 1000)
    expect(limits['x-ratelimit-reset-tokens']).toMatch(/^\d+ms$/)
    const after = await left(house, key)
    expect(after).toMatchObject({ lease: false, reserved: 0 })
    expect(after.minute).toBeLessThanOrEqual(before.minute)
  })

  test('of the quota', async () => {
    await using house = await openHouse({ yaml })
    const key = await makeKey(house, { quota: 60, quotaPeriod: 'day', tokensPerMinute: 1000, maxConcurrency: 1 })
    const { limits, ...refusal } = await told(await chatWith(house, key, { max_tokens: 50 }))
    expect(refusal).toMatchObject({
      status: 429,
      type: 'insufficient_quota',
      code: 'insufficient_quota',
      retryAfter: null,
      shouldRetry: 'false',
    })
    expect(refusal.message).toMatch(
      /^This API key has used 0 of its 60 tokens; this request may need \d+\. It resets at 20\d\d-\d\d-\d\dT00:00:00\.000Z\.$/,
    )
    expect(limits).toMatchObject({ 'x-ratelimit-limit-tokens': '1000' })
    expect(await left(house, key)).toEqual(nothing)
  })

  test('of a ledger that cannot be written', async () => {
    await using house = await openHouse({ yaml })
    const key = await makeKey(house, { quota: 10_000, tokensPerMinute: 1000, maxConcurrency: 1 })
    const { GatewayError } = await import('../../core/errors.ts')
    for (const late of [false, true]) {
      const broken = () => {
        const error = new GatewayError(503, 'service_unavailable', 'ledger_unavailable', 'later', { headers: { 'retry-after': '1' } })
        if (late) return Promise.reject(error)
        throw error
      }
      const { ledger } = house.serving.gateway
      const { reserve } = ledger
      Object.assign(ledger, { reserve: broken })
      expect(await told(await chatWith(house, key))).toMatchObject({
        status: 503,
        type: 'service_unavailable',
        code: 'ledger_unavailable',
        retryAfter: '1',
      })
      Object.assign(ledger, { reserve })
      expect(await left(house, key)).toEqual(nothing)
    }
  })
})

describe('a key and the others', () => {
  test('what a key is refused takes nothing from the others', async () => {
    await using house = await openHouse({ yaml: { ...yaml, rate_limit_rps: 20 } })
    const loud = await makeKey(house, { rateLimit: 1 })
    const crowd = await makeKey(house, { maxConcurrency: 0 })
    const quiet = await makeKey(house)
    for (const key of [loud, crowd]) await Promise.all(Array.from({ length: 60 }, () => chatWith(house, key)))
    const statuses = (await Promise.all(Array.from({ length: 15 }, () => chatWith(house, quiet)))).map(({ status }) => status)
    expect(statuses.filter(status => status === 200)).toHaveLength(15)
  })

  test('what all together are refused leaves nothing of the key’s own', async () => {
    // buckets that drain in minutes: a busy machine is not quick enough for a second
    await using house = await openHouse({ yaml: { ...yaml, rate_limit_rps: 0.01 } })
    const key = await makeKey(house, { rateLimit: 2, maxConcurrency: 1 })
    await (await chatWith(house, key)).text()
    const { limits, ...refusal } = await told(await chatWith(house, key))
    expect(refusal).toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
    expect(Number(refusal.retryAfter)).toBeWithin(50, 101) // that of all together, not of the key
    expect(limits).toMatchObject({ 'x-ratelimit-limit-requests': '1', 'x-ratelimit-remaining-requests': '0' })
    expect(await left(house, key)).toMatchObject({ lease: false, reserved: 0 })
    const level = await house.serving.gateway.store.giveBack(`rate:key:${key.id}`, { perMinute: 2, burst: 2 }, 0)
    expect(level?.remaining).toBeGreaterThanOrEqual(1)
  })

  test('the headers are those of the narrower limit, its own', async () => {
    await using house = await openHouse({ yaml })
    expect((await chatWith(house, await makeKey(house, { rateLimit: 7 }))).headers.get('x-ratelimit-limit-requests')).toBe('7')
    expect((await chatWith(house, await makeKey(house))).headers.get('x-ratelimit-limit-requests')).toBe('1000000')
  })

  test('a rate that is changed counts at once, and what was used stays used', async () => {
    await using house = await openHouse({ yaml })
    const key = await makeKey(house, { rateLimit: 10 })
    for (let i = 0; i < 5; i++) await chatWith(house, key)
    await house.serving.gateway.records.keys.update(key.id, { rateLimit: 6 }, { who: 'test' })
    expect((await chatWith(house, key)).status).toBe(200)
    expect((await chatWith(house, key)).status).toBe(429)
  })
})

test('60 per minute: 60 at once, then one a second', async () => {
  await using house = await openHouse({ yaml })
  const key = await makeKey(house, { rateLimit: 60 })
  const from = performance.now()
  let [passed, refused, first, last] = [0, 0, 0, 0]
  // at least until the bucket is full, however long that takes here
  while (performance.now() - from < 2500 || refused === 0) {
    last = performance.now()
    const statuses = await Promise.all(Array.from({ length: 20 }, () => chatWith(house, key).then(({ status }) => status)))
    passed += statuses.filter(status => status === 200).length
    refused = statuses.filter(status => status === 429).length
    first ||= performance.now()
  }
  expect(passed).toBeGreaterThanOrEqual(60 + Math.floor((last - first) / 1000) - 1)
  expect(passed).toBeLessThanOrEqual(60 + (performance.now() - from) / 1000)
})

test('a place is held until the last byte, and given back by whoever leaves', async () => {
  await using upstream = await fakeOpenai({})
  await using house = await openHouse({ yaml: { backends: { up: { type: 'openai-compatible', base_url: upstream.url } } } })
  const key = await makeKey(house, { maxConcurrency: 1 })
  const status = async () => (await chatWith(house, key)).status
  for (const model of ['hold', 'hold-first', 'hold-mid']) {
    const leaving = new AbortController()
    const before = upstream.requests.length
    const response = chatWith(house, key, { model, stream: model !== 'hold' }, leaving.signal).catch(() => {})
    await upstream.until(() => upstream.requests.length > before, `${model} is held`)
    expect(await status()).toBe(429)
    leaving.abort()
    await response
    await comesTrue(() => house.serving.gateway.exchanges.list().length === 0, 'it is over')
    expect(await status()).toBe(200)
    await allSettled(house, key)
  }
})
