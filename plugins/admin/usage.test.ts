import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { noCounts, usageRow } from '../../core/records/testing/usage-row.ts'
import { type AdminHouse, openAdminHouse } from './testing/house.ts'

let house: AdminHouse
const day = (ago: number) => new Date(Date.now() - ago * 24 * 3_600_000).toISOString().slice(0, 10)

beforeAll(async () => {
  house = await openAdminHouse()
  for (const name of ['one', 'two']) await house.ask('POST', '/admin/keys', { name })
  const tokens = { promptTokens: 10, completionTokens: 5, latencyMs: 100, firstTokenMs: 30, firstTokens: 1 }
  await house.records.usage.add([
    usageRow({ ...tokens, day: '2020-01-30', keyId: 1, model: 'a', target: 'up/a', user: 'ann' }),
    usageRow({ ...tokens, day: '2020-01-31', keyId: 1, model: 'a', target: 'up/b', user: 'bob', requests: 2, latencyMs: 301, errors: 1 }),
    usageRow({ day: '2020-01-31', keyId: 1, model: 'b', target: '', cached: 1 }),
    usageRow({ ...tokens, day: '2020-01-31', keyId: 0, model: 'a', target: 'up/a' }),
    usageRow({ ...tokens, day: '2020-02-01', keyId: 9, model: 'b', target: 'box/Qwen/Qwen3-32B' }),
  ])
  await house.ask('DELETE', '/admin/keys/2')
})
afterAll(() => house.stop())

const january = 'from=2020-01-30&to=2020-01-31'
const report = async (path: string) => (await house.ask('GET', path)).json
const figures = (requests: number, more: object = {}) => ({
  requests,
  cached: 0,
  errors: 0,
  prompt_tokens: 10,
  completion_tokens: 5,
  total_tokens: 15,
  latency_ms_avg: 100,
  first_token_ms_avg: 30,
  ...more,
})

describe('GET /admin/usage', () => {
  test('tells by day what was used, with averages', async () => {
    expect(await report(`/admin/usage?${january}`)).toEqual({
      data: [
        { day: '2020-01-30', ...figures(1) },
        {
          day: '2020-01-31',
          ...figures(4, { cached: 1, errors: 1, prompt_tokens: 20, completion_tokens: 10, total_tokens: 30, latency_ms_avg: 100 }),
        },
      ],
      next: null,
    })
  })

  test('tells by key, with the names of those that are still there', async () => {
    const { data } = await report('/admin/usage?from=2020-01-30&to=2020-02-01&by=key')
    expect(data.map(({ key_id, key_name, requests }: Record<string, unknown>) => [key_id, key_name, requests])).toEqual([
      [0, null, 1],
      [1, 'one', 4],
      [9, null, 1],
    ])
  })

  test('tells by model, backend, user, or several', async () => {
    expect((await report(`/admin/usage?${january}&by=model`)).data).toMatchObject([
      { model: 'a', requests: 4 },
      { model: 'b', requests: 1, latency_ms_avg: 0, first_token_ms_avg: null },
    ])
    expect((await report(`/admin/usage?${january}&by=backend`)).data).toEqual([
      {
        backend: '',
        ...figures(1, { cached: 1, prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, latency_ms_avg: 0, first_token_ms_avg: null }),
      },
      { backend: 'up', ...figures(4, { errors: 1, prompt_tokens: 30, completion_tokens: 15, total_tokens: 45, latency_ms_avg: 125 }) },
    ])
    expect((await report(`/admin/usage?${january}&by=target`)).data).toMatchObject([
      { target: '', requests: 1 },
      { target: 'up/a', requests: 2 },
      { target: 'up/b', requests: 2 },
    ])
    expect((await report(`/admin/usage?${january}&by=user`)).data).toMatchObject([{ user: '' }, { user: 'ann' }, { user: 'bob' }])
    const both = (await report(`/admin/usage?${january}&by=model,day`)).data
    expect(both.map(({ model, day, requests }: Record<string, unknown>) => [model, day, requests])).toEqual([
      ['a', '2020-01-30', 1],
      ['a', '2020-01-31', 3],
      ['b', '2020-01-31', 1],
    ])
  })

  test('comes in parts, each row once', async () => {
    const seen: unknown[] = []
    let after = ''
    for (;;) {
      const { data, next } = await report(`/admin/usage?${january}&by=model,day&limit=1${after}`)
      seen.push(...data.map(({ model, day }: Record<string, unknown>) => `${model} ${day}`))
      if (next === null) break
      after = `&after=${next}`
    }
    expect(seen).toEqual(['a 2020-01-30', 'a 2020-01-31', 'b 2020-01-31'])
  })

  test('knows what was counted a moment ago, and goes back 30 days when nobody says', async () => {
    const { usage } = house.serving.gateway
    const place = { keyId: 1, model: 'late', target: 'up', user: '' }
    usage.count({ ...place, day: day(0) }, { ...noCounts, requests: 1 })
    usage.count({ ...place, day: day(29) }, { ...noCounts, requests: 1 })
    usage.count({ ...place, day: day(30) }, { ...noCounts, requests: 1 })
    expect((await report('/admin/usage?by=model')).data).toMatchObject([{ model: 'late', requests: 2 }])
    expect((await report(`/admin/usage?by=model&from=${day(400)}&to=${day(35)}`)).data).toEqual([])
  })

  test.each([
    ['from', 'from=2020-02-30'],
    ['from', 'from=yesterday'],
    ['from', 'from='],
    ['to', 'to=2026-1-1'],
    ['to', 'to=2020-01-31T00:00:00Z'],
    ['from', 'from=2020-02-01&to=2020-01-31'],
    ['from', 'from=2019-01-01&to=2020-01-02'],
    ['by', 'by=hour'],
    ['by', 'by='],
    ['by', 'by=day,day'],
    ['by', 'by=constructor'],
    ['by', 'by=keyId'],
    ['limit', 'limit=0'],
    ['limit', 'limit=1001'],
    ['after', 'after=1'],
    ['after', `after=${Buffer.from('["a"]').toString('base64url')}&by=key`],
    ['form', 'form=2020-01-01'],
    ['from', 'from=2020-01-01&from=2020-01-02'],
  ])('refuses a wrong %s: %s', async (param, query) => {
    expect(await house.ask('GET', `/admin/usage?${query}`)).toMatchObject({
      status: 400,
      json: { error: { param, code: 'invalid_query' } },
    })
  })

  test('takes a leap year', async () => {
    expect((await house.ask('GET', '/admin/usage?from=2027-12-31&to=2028-12-30')).status).toBe(200)
  })
})

describe('GET /admin/keys/:id/usage', () => {
  test('tells the same of one key', async () => {
    expect((await report(`/admin/keys/1/usage?${january}`)).data).toMatchObject([
      { day: '2020-01-30', requests: 1 },
      { day: '2020-01-31', requests: 3 },
    ])
    expect((await report(`/admin/keys/1/usage?${january}&by=model`)).data).toMatchObject([{ model: 'a' }, { model: 'b' }])
  })

  test('of a key that is there', async () => {
    for (const id of [2, 9]) expect((await house.ask('GET', `/admin/keys/${id}/usage`)).status).toBe(404)
    expect((await house.ask('GET', '/admin/keys/one/usage')).status).toBe(400)
    expect((await house.ask('GET', '/admin/keys/1/usage?by=key')).status).toBe(400)
  })
})
