import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { Glob } from 'bun'
import { type AdminHouse, everything, openAdminHouse } from './testing/house.ts'

let house: AdminHouse
beforeAll(async () => {
  house = await openAdminHouse()
})
afterAll(() => house.stop())

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
const secret = expect.stringMatching(/^sk-[A-Za-z0-9]{43}$/)
/** A key of which only the name was given. */
const plain = {
  id: expect.any(Number),
  name: 'plain',
  prefix: expect.stringMatching(/^sk-[A-Za-z0-9]{7}$/),
  enabled: true,
  quota: 1_000_000,
  quota_period: 'total',
  used: 0,
  reserved: 0,
  remaining: 1_000_000,
  reset_at: null,
  rate_limit: 60,
  tokens_per_minute: null,
  max_concurrency: null,
  allowed_ips: [],
  allowed_models: [],
  allowed_endpoints: null,
  allowed_tools: [],
  cache_scope: null,
  expires_at: null,
  created_at: time,
  last_used_at: null,
  version: 1,
}
const create = async (fields: object = {}) => (await house.ask('POST', '/admin/keys', { name: 'a key', ...fields })).json

describe('a key', () => {
  test('is made from a name alone, and its secret shown once', async () => {
    const { status, json, headers } = await house.ask('POST', '/admin/keys', { name: 'plain' })
    expect(status).toBe(201)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(json).toEqual({ ...plain, key: secret })
    expect(json.key).toStartWith(json.prefix)
    const seen = await house.ask('GET', `/admin/keys/${json.id}`)
    expect(seen).toMatchObject({ status: 200, json: { ...plain, id: json.id } })
    expect(Object.keys(seen.json)).toEqual(Object.keys(plain))
    expect(seen.headers.get('cache-control')).toBe('no-store')
    for (const path of ['/admin/keys', '/admin/audit']) expect((await house.ask('GET', path)).text).not.toContain(json.key)
    expect(JSON.stringify(house.lines)).not.toContain(json.key)
  })

  test('has a secret that is nowhere once it was shown', async () => {
    await using other = await openAdminHouse()
    const { json: made } = await other.ask('POST', '/admin/keys', { name: 'a key' })
    const { json: rotated } = await other.ask('POST', '/admin/keys/1/rotate', { grace: '1h' })
    const answers = await Promise.all(
      ['/admin/keys', '/admin/keys/1', '/admin/audit', '/v1/system/info'].map(path => other.ask('GET', path)),
    )
    await other.records.backup(join(other.folder, 'backup.db'))
    const files = [...new Glob('**').scanSync({ cwd: other.folder, dot: true })]
    expect(files).toContain('data/gatehouse.db-wal')
    const texts = [JSON.stringify(other.lines), ...answers.map(({ text }) => text)]
    for (const file of files)
      texts.push(
        await Bun.file(join(other.folder, file))
          .bytes()
          .then(bytes => Buffer.from(bytes).toString('latin1')),
      )
    for (const { key } of [made, rotated]) {
      for (const text of texts) expect(text.includes(key.slice(10))).toBe(false)
    }
    expect(texts.some(text => text.includes(rotated.prefix))).toBe(true)
  })

  test('takes every setting, in the one way each is stored', async () => {
    const settings = {
      name: '  Tokyo ☂  ',
      enabled: false,
      quota: null,
      quota_period: 'month',
      rate_limit: 0,
      tokens_per_minute: 9_007_199_254_740_991,
      max_concurrency: 3,
      allowed_ips: ['10.1.2.3/8', '2001:DB8::1', '10.0.0.0/8'],
      allowed_models: ['qwen3:*', 'gpt-4o', 'gpt-4o', '**'],
      allowed_endpoints: ['/v1/chat/completions/', '/v1/audio/*', '/v1/audio/speech', '/v1/*', '/v1/models/qwen3:8b'],
      allowed_tools: ['files__*'],
      cache_scope: 'off',
      expires_at: '2999-01-31T12:00:00.5+02:00',
    }
    expect(await create(settings)).toEqual({
      ...plain,
      ...settings,
      name: 'Tokyo ☂',
      remaining: null,
      reset_at: time,
      allowed_ips: ['10.0.0.0/8', '2001:db8::1'],
      allowed_models: ['qwen3:*', 'gpt-4o', '*'],
      allowed_endpoints: ['/v1/chat/completions', '/v1/audio/*', '/v1/audio/speech', '/v1/*', '/v1/models/qwen3:8b'],
      expires_at: '2999-01-31T10:00:00.500Z',
      key: secret,
    })
    expect(await create({ expires_at: '2999-01-31' })).toMatchObject({ expires_at: '2999-01-31T00:00:00.000Z' })
    expect(await create({ quota: 0, allowed_endpoints: [] })).toMatchObject({ quota: 0, remaining: 0, allowed_endpoints: [] })
  })

  test('gets what the config says where nothing is said', async () => {
    await using other = await openAdminHouse({ yaml: { quota: { default_tokens: 'none' }, limiter: { rpm: 7 } } })
    const { json } = await other.ask('POST', '/admin/keys', { name: 'plain' })
    expect(json).toEqual({ ...plain, quota: null, remaining: null, rate_limit: 7, key: secret })
  })

  test('shows what it has used and set aside, and when that starts again', async () => {
    const { id } = await create({ quota: 1000, quota_period: 'day' })
    const { ledger } = house.serving.gateway
    const account = { keyId: id, period: 'day', limit: 1000 } as const
    const grants = [await ledger.reserve(account, { tokens: 100, estimate: 1 }), await ledger.reserve(account, { tokens: 50, estimate: 1 })]
    const [first] = grants
    if (!first?.granted) throw new Error('refused')
    await ledger.settle(first.reservation, 30)
    const { json } = await house.ask('GET', `/admin/keys/${id}`)
    expect(json).toMatchObject({ quota: 1000, used: 30, reserved: 50, remaining: 920 })
    expect(json.reset_at).toEndWith('T00:00:00.000Z')
    expect(Date.parse(json.reset_at)).toBeGreaterThan(Date.now())
  })
})

describe('a change', () => {
  test('is any part of a key, and leaves the rest', async () => {
    const key = await create({ allowed_models: ['a'], rate_limit: 5 })
    const { status, json } = await house.ask('PUT', `/admin/keys/${key.id}`, {
      enabled: false,
      quota: 5,
      allowed_endpoints: ['/v1/models'],
    })
    const { key: _, ...before } = key
    expect(status).toBe(200)
    expect(json).toEqual({ ...before, enabled: false, quota: 5, remaining: 5, allowed_endpoints: ['/v1/models'], version: 2 })
    expect((await house.ask('PUT', `/admin/keys/${key.id}`, {})).json.version).toBe(2)
    expect((await house.ask('PUT', `/admin/keys/${key.id}`, { quota: 5 })).json.version).toBe(2)
  })

  test('happens only to the version that was seen', async () => {
    const { id } = await create()
    expect((await house.ask('PUT', `/admin/keys/${id}`, { quota: 1, version: 1 })).json).toMatchObject({ quota: 1, version: 2 })
    const stale = {
      status: 409,
      json: { error: { code: 'version_conflict', param: 'version', message: expect.stringContaining('its version is 2 now') } },
    }
    expect(await house.ask('PUT', `/admin/keys/${id}`, { quota: 2, version: 1 })).toMatchObject(stale)
    expect(await house.ask('POST', `/admin/keys/${id}/rotate`, { version: 1 })).toMatchObject(stale)
    expect(await house.ask('DELETE', `/admin/keys/${id}?version=1`)).toMatchObject(stale)
    expect((await house.ask('GET', `/admin/keys/${id}`)).json).toMatchObject({ quota: 1, version: 2 })
    expect((await house.ask('DELETE', `/admin/keys/${id}?version=2`)).status).toBe(204)
  })

  test('of two at once that have seen the same, one is refused', async () => {
    const { id } = await create()
    const answers = await Promise.all([1, 2, 3, 4].map(quota => house.ask('PUT', `/admin/keys/${id}`, { quota, version: 1 })))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409])
  })

  test('leaves a row in the audit that says who, and nothing secret', async () => {
    const { id, key } = await create({ expires_at: '2999-01-31', quota_period: 'day' })
    await house.ask('PUT', `/admin/keys/${id}`, { quota: 7, expires_at: null })
    const { json } = await house.ask('POST', `/admin/keys/${id}/rotate`, { grace: '1h' })
    await house.ask('DELETE', `/admin/keys/${id}`)
    const { data } = (await house.ask('GET', '/admin/audit?limit=4')).json
    const common = { id: expect.any(Number), at: time, who: 'admin', subject_id: id, subject_name: 'a key' }
    expect(data).toEqual([
      { ...common, what: 'key.delete', before: expect.objectContaining({ name: 'a key', quota: 7 }), after: null },
      { ...common, what: 'key.rotate', before: { prefix: key.slice(0, 10) }, after: { prefix: json.prefix, grace_until: time } },
      {
        ...common,
        what: 'key.update',
        before: { quota: 1_000_000, expires_at: '2999-01-31T00:00:00.000Z' },
        after: { quota: 7, expires_at: null },
      },
      {
        ...common,
        what: 'key.create',
        before: null,
        after: expect.objectContaining({ quota_period: 'day', expires_at: '2999-01-31T00:00:00.000Z' }),
      },
    ])
    expect(JSON.stringify(data)).not.toMatch(/sha|sk-[A-Za-z0-9]{8}/)
  })

  test('is refused as a whole with a 503 when the database cannot take it', async () => {
    await using other = await openAdminHouse()
    const { database } = other.records as typeof other.records & { readonly database: { run(sql: string): void } }
    database.run('PRAGMA query_only = ON')
    expect(await other.ask('POST', '/admin/keys', { name: 'late' })).toMatchObject({
      status: 503,
      json: { error: { type: 'service_unavailable', code: 'store_unavailable' } },
    })
    database.run('PRAGMA query_only = OFF')
    expect((await other.ask('GET', '/admin/keys')).json).toEqual({ data: [], next: null, total: 0 })
  })
})

describe('a body that is wrong', () => {
  test.each([
    [{}, 'name', 'name is missing.'],
    [{ name: '' }, 'name', 'name must be text of 1 to 128 characters without control characters.'],
    [{ nmae: 'x' }, 'nmae', 'There is no field "nmae" here; did you mean name?'],
    [{ name: 'x', zzzzzz: 1 }, 'zzzzzz', 'There is no field "zzzzzz" here.'],
    [{ name: 'x', used: 0 }, 'used', 'used can be seen, not set.'],
    [{ name: 'x', version: 1 }, 'version', 'version can be seen, not set.'],
    [{ name: 'x', enabled: 'yes' }, 'enabled', 'enabled must be true or false.'],
    [{ name: 'x', quota: -1 }, 'quota', 'quota must be a whole number from 0, or null for no limit.'],
    [{ name: 'x', quota_period: 'week' }, 'quota_period', 'quota_period must be one of total, day, month.'],
    [{ name: 'x', allowed_ips: '10.0.0.1' }, 'allowed_ips', 'allowed_ips must be a list of at most 1000.'],
    [{ name: 'x', allowed_ips: ['::1', 'nope'] }, 'allowed_ips[1]', 'allowed_ips[1] must be an IP address or a block such as 10.0.0.0/8.'],
    [{ name: 'x', allowed_endpoints: ['/v1/nope'] }, 'allowed_endpoints[0]', expect.stringContaining('that gatehouse has')],
    [
      { name: 'x', allowed_endpoints: ['/v1/system/memory/users/:id'] },
      'allowed_endpoints[0]',
      expect.stringContaining('that gatehouse has'),
    ],
    [{ name: 'x', expires_at: '2001-01-01' }, 'expires_at', expect.stringContaining('is over already')],
  ])('%j', async (body, param, message) => {
    const before = await everything(house.records)
    expect(await house.ask('POST', '/admin/keys', body)).toMatchObject({
      status: 400,
      json: { error: { param, message, type: 'invalid_request_error' } },
    })
    expect(await everything(house.records)).toEqual(before)
  })

  test('of a key that has expired may leave its time as it is', async () => {
    const { id } = await create({ expires_at: '2999-01-01' })
    await house.records.keys.update(id, { expiresAt: 1_000 }, { who: 'test' })
    const { json } = await house.ask('GET', `/admin/keys/${id}`)
    expect((await house.ask('PUT', `/admin/keys/${id}`, { expires_at: json.expires_at, enabled: false })).status).toBe(200)
    expect((await house.ask('PUT', `/admin/keys/${id}`, { expires_at: '1970-01-01T00:00:02Z' })).status).toBe(400)
  })
})

describe('a rotation', () => {
  const find = (secret: string) => house.serving.gateway.keys.find(new Bun.CryptoHasher('sha256').update(secret).digest())

  test('gives another secret, and ends the one before at once', async () => {
    const { id, key } = await create()
    const { status, json, headers } = await house.ask('POST', `/admin/keys/${id}/rotate`)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(json).toEqual({ ...plain, name: 'a key', id, version: 2, key: secret })
    expect(json.key).not.toBe(key)
    expect(find(key)).toBeUndefined()
    expect(find(json.key)).toMatchObject({ id })
  })

  test('lets the one before live on as long as it is told', async () => {
    const { id, key } = await create()
    const { json } = await house.ask('POST', `/admin/keys/${id}/rotate`, { grace: '1h' })
    expect(find(key)).toMatchObject({ id })
    expect(find(json.key)).toMatchObject({ id })
    expect((await house.records.keys.get(id))?.graceUntil).toBeWithin(Date.now() + 3_590_000, Date.now() + 3_600_001)
    await house.ask('POST', `/admin/keys/${id}/rotate`, { grace: null })
    expect(find(key)).toBeUndefined()
    expect(find(json.key)).toBeUndefined()
  })
})

describe('the list', () => {
  test('comes in pages, each key once, and can be searched', async () => {
    await using other = await openAdminHouse()
    const names = ['Ärzte', 'bravo', 'charlie', 'ärzte zwei', 'echo']
    for (const name of names) await other.ask('POST', '/admin/keys', { name })
    const seen: string[] = []
    let after = ''
    for (;;) {
      const { json } = await other.ask('GET', `/admin/keys?limit=2${after}`)
      expect(json.total).toBe(5)
      seen.push(...json.data.map(({ name }: { name: string }) => name))
      if (json.next === null) break
      after = `&after=${json.next}`
    }
    expect(seen).toEqual(names)
    const found = (await other.ask('GET', `/admin/keys?search=${encodeURIComponent('ÄRZTE')}`)).json
    expect(found).toMatchObject({ next: null, total: 2, data: [{ name: 'Ärzte' }, { name: 'ärzte zwei' }] })
    expect((await other.ask('GET', '/admin/keys?search=')).json.total).toBe(5)
    expect((await other.ask('GET', '/admin/keys?after=1000')).json).toEqual({ data: [], next: null, total: 5 })
  })
})

describe('whoever is not the admin', () => {
  const routes = [
    ['GET', '/admin/verify'],
    ['GET', '/admin/keys'],
    ['POST', '/admin/keys'],
    ['PUT', '/admin/keys/1'],
    ['DELETE', '/admin/keys/1'],
    ['POST', '/admin/keys/1/rotate'],
    ['GET', '/admin/keys/1/usage'],
    ['GET', '/admin/models'],
    ['POST', '/admin/models/sync'],
    ['GET', '/admin/usage'],
    ['GET', '/admin/audit'],
  ] as const

  test.each(routes)('is refused: %s %s', async (method, path) => {
    const before = await everything(house.records)
    for (const headers of [{ authorization: 'Bearer sk-wrong' }, { authorization: '' }]) {
      const { status, json } = await house.ask(method, path, method === 'GET' ? undefined : { name: 'mine' }, headers)
      expect(status === 401 || status === 429).toBe(true)
      expect(json.error.code).toMatch(/^(invalid_api_key|rate_limit_exceeded)$/)
    }
    expect(await everything(house.records)).toEqual(before)
  })

  test('the admin is told so', async () => {
    expect((await house.ask('GET', '/admin/verify')).json).toEqual({ ok: true })
    expect((await house.ask('GET', '/admin/verify', undefined, { 'x-api-key': 'sk-wrong' })).status).toBeOneOf([401, 429])
  })

  test('the routes are there whatever the pipeline says', async () => {
    await using other = await openAdminHouse({ yaml: { pipeline: ['auth', 'router'] } })
    expect((await other.ask('GET', '/admin/keys')).json).toEqual({ data: [], next: null, total: 0 })
    await using named = await openAdminHouse({ yaml: { pipeline: ['auth', 'admin', 'router'] } })
    expect((await named.ask('GET', '/admin/verify')).status).toBe(200)
  })
})
