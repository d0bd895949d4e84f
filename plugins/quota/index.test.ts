import { describe, expect, test } from 'bun:test'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { openCounting } from '../../core/testing/keyed.ts'
import { type ManagedKey, makeKey } from '../../core/testing/managed-key.ts'
import { type House, openHouse } from '../../core/testing/open-house.ts'

const at = (upstream: FakeServer, more: object = {}) => ({
  backends: { ai: { type: 'openai-compatible', base_url: upstream.url } },
  default_backend: 'ai',
  router: { retries: 0 },
  ...more,
})
const chat = (house: House, { headers }: Pick<ManagedKey, 'headers'>, fields: object = {}, signal?: AbortSignal) =>
  fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hi' }], max_tokens: 10, ...fields }),
    ...(signal && { signal }),
  })
const balance = async (house: House, { id }: ManagedKey, limit: number | null = null) =>
  house.serving.gateway.ledger.balance({ keyId: id, period: 'total', limit })
const settled = async (house: House) => {
  while (house.serving.gateway.exchanges.list().length > 0) await Bun.sleep(1)
}

describe('a request with a managed key', () => {
  test.each([false, true])('is charged what the backend reports, before its end has left (stream: %p)', async stream => {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: at(upstream) })
    const key = await makeKey(house)
    await (await chat(house, key, { stream })).text()
    expect(await balance(house, key)).toMatchObject({ used: 18, reserved: 0 })
  })

  test('that fails costs nothing', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: at(upstream) })
    const key = await makeKey(house)
    for (const model of ['boom', 'missing', 'busy', 'reset']) expect((await chat(house, key, { model })).ok).toBe(false)
    await (await chat(house, key, { model: 'break', stream: true })).text()
    await settled(house)
    expect(await balance(house, key)).toMatchObject({ used: 0, reserved: 0 })
  })

  test('whose client leaves pays for the prompt and what was sent', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openCounting({ yaml: at(upstream) })
    const key = await makeKey(house)
    const leaving = new AbortController()
    const response = await chat(house, key, { model: 'hold-mid', stream: true }, leaving.signal)
    await response.body?.getReader().read()
    leaving.abort()
    await settled(house)
    while ((await balance(house, key)).reserved > 0) await Bun.sleep(1)
    const { used } = await balance(house, key)
    expect(used).toBeGreaterThan(1)
    expect(used).toBeLessThan(60)
  })

  test('is refused beyond its quota, and told when to come back', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: at(upstream) })
    const key = await makeKey(house, { quota: 0, quotaPeriod: 'month' })
    const refused = await chat(house, key)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('x-should-retry')).toBe('false')
    const { error } = (await refused.json()) as { error: { type: string; code: string; message: string } }
    expect(error).toMatchObject({ type: 'insufficient_quota', code: 'insufficient_quota' })
    expect(error.message).toMatch(/has used 0 of its 0 tokens.*resets at 20\d\d-\d\d-01T00:00:00\.000Z/)
    expect(upstream.requests).toHaveLength(0)
  })

  test('that comes from the cache is free, also when nothing is left', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: at(upstream, { cache: {} }) })
    const key = await makeKey(house, { quota: 500 })
    const first = await chat(house, key)
    expect([first.status, first.headers.get('x-cache')]).toEqual([200, 'MISS'])
    await first.text()
    const { records } = house.serving.gateway
    await records.keys.update(key.id, { quota: 18 }, { who: 'test' })
    expect((await chat(house, key, { temperature: 0 })).status).toBe(429)
    const again = await chat(house, key)
    expect([again.status, again.headers.get('x-cache')]).toEqual([200, 'HIT'])
    expect(await balance(house, key)).toMatchObject({ used: 18 })
  })

  test('without a length is held to what is left', async () => {
    await using upstream = await fakeOpenai({})
    await using house = await openHouse({ yaml: at(upstream) })
    const key = await makeKey(house, { quota: 300 })
    expect((await chat(house, key, { max_tokens: undefined })).status).toBe(200)
    const { max_tokens: most } = (upstream.requests.at(-1) as { json: unknown }).json as { max_tokens: number }
    expect(most).toBeGreaterThan(100)
    expect(most).toBeLessThan(300)
  })
})

test('of a thousand at once exactly those that fit pass, and the quota holds', async () => {
  await using upstream = await fakeOpenai({})
  await using house = await openCounting({ yaml: at(upstream) })
  const prompt = { model: 'hold', messages: [{ role: 'user', content: 'hi' }] }
  const { gateway } = house.serving
  const model = await gateway.models.resolve('hold')
  const { tokens } = await gateway.tokens.count(prompt as never, 'chat.completions', model as never, AbortSignal.timeout(5000))
  const each = Math.ceil(tokens * 1.2) + 64 + 10
  const fit = 100
  const key = await makeKey(house, { quota: fit * each + each - 1 })
  const asked = Array.from({ length: 1000 }, () => chat(house, key, prompt).then(response => response.status))
  await upstream.until(() => upstream.requests.length === fit, 'those that fit are there', 60_000)
  const decided = await Promise.race([Promise.all(asked.map(one => one.catch(() => 0))), settledButHeld(house, fit)])
  expect(decided).toBe(fit)
  upstream.release()
  const statuses = await Promise.all(asked)
  expect(statuses.filter(status => status === 200)).toHaveLength(fit)
  expect(statuses.filter(status => status === 429)).toHaveLength(1000 - fit)
  const { used, reserved, limit } = await balance(house, key, fit * each + each - 1)
  expect([used, reserved]).toEqual([fit * 18, 0])
  expect(used).toBeLessThanOrEqual(limit as number)
}, 120_000)

/** Resolves when only those are left that the upstream holds. */
async function settledButHeld(house: House, held: number): Promise<number> {
  for (;;) {
    const { length } = house.serving.gateway.exchanges.list()
    if (length === held) return held
    await Bun.sleep(5)
  }
}

test('tokens per minute are taken by bound, and the rest is given back', async () => {
  await using upstream = await fakeOpenai({})
  await using house = await openHouse({ yaml: at(upstream) })
  const key = await makeKey(house, { tokensPerMinute: 1000 })
  const first = await chat(house, key)
  expect(first.status).toBe(200)
  expect(first.headers.get('x-ratelimit-limit-tokens')).toBe('1000')
  const afterFirst = Number(first.headers.get('x-ratelimit-remaining-tokens'))
  expect(afterFirst).toBeLessThan(900)
  await first.text()
  await settled(house)
  const second = await chat(house, key)
  // what it did not use has come back: without that there would be as little again less
  expect(Number(second.headers.get('x-ratelimit-remaining-tokens'))).toBeGreaterThan(afterFirst - 100)
  await second.text()
  const refused = await chat(house, await makeKey(house, { tokensPerMinute: 0 }))
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
})

test('a key sees what it has used, and what is left', async () => {
  await using upstream = await fakeOpenai({})
  await using house = await openHouse({ yaml: at(upstream) })
  const key = await makeKey(house, { name: 'mine', quota: 100_000, quotaPeriod: 'day' })
  await (await chat(house, key)).text()
  await settled(house)
  const usage = (await (await fetch(`${house.url}/v1/usage`, { headers: key.headers })).json()) as Record<string, unknown>
  expect(usage).toMatchObject({ name: 'mine', quota: 100_000, quota_period: 'day', used: 18, reserved: 0, remaining: 99_982 })
  expect(usage.data).toMatchObject([{ model: 'echo', prompt_tokens: 11, completion_tokens: 7 }])
  expect(usage.reset_at).toMatch(/T00:00:00\.000Z$/)
})
