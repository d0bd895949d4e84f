import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { fakeVllm } from '../../core/testing/fake-vllm.ts'
import { eventually } from './testing/client.ts'
import { adminKey, type CachingHouse, openCachingHouse, pipelineWith } from './testing/house.ts'
import { managedKeys } from './testing/plugins.ts'

let vllm: FakeServer
let house: CachingHouse
const yaml = {
  get backends() {
    return { up: { type: 'vllm', base_url: vllm.url } }
  },
  default_backend: 'up',
  models: [
    { name: 'smart', aliases: ['gpt', 'gpt-too'], targets: [{ backend: 'up', model: 'echo' }] },
    { name: 'other', targets: [{ backend: 'up', model: 'echo' }] },
    { name: 'near/*', targets: [{ backend: 'up' }] },
  ],
  router: { retries: 0 },
}
beforeAll(async () => {
  vllm = await fakeVllm()
})
beforeEach(async () => {
  vllm.clear()
  house = await openCachingHouse({ yaml })
})
afterAll(() => vllm.stop())

const inHouse = (name: string, work: () => Promise<void>) =>
  test(name, async () => {
    try {
      await work()
    } finally {
      await house.stop()
    }
  })
const caches = async (...models: string[]) => {
  const seen = []
  for (const model of models) seen.push((await house.chat({ model })).cache)
  return seen
}
const cleared = async (query?: string) => ((await (await house.clear(query)).json()) as { readonly cleared: number }).cleared

describe('GET /admin/cache', () => {
  inHouse('tells what is kept, and what it was good for', async () => {
    expect(await house.report()).toEqual({
      ...{ enabled: true, entries: 0, bytes: 0, max_entries: 1000, max_bytes: 67_108_864, ttl_seconds: 3600, store: 'memory' },
      ...{ hits: 0, misses: 0, joins: 0, bypasses: 0, tokens_saved: 0, seconds_saved: 0 },
    })
    const slow = { model: 'silent:300', stream: true }
    await house.chat(slow)
    await house.chat(slow)
    await house.chat({ model: 'silent:300' })
    await house.chat({ temperature: 1 })
    await house.chat({}, { 'cache-control': 'no-cache' })
    await house.chat({ model: 'boom' })
    const { bytes, seconds_saved: saved, ...figures } = await house.report()
    expect(figures).toMatchObject({ entries: 2, hits: 2, misses: 2, joins: 0, bypasses: 2, tokens_saved: 2 * 18 })
    expect(saved).toBeGreaterThanOrEqual(0.6)
    expect(saved).toBeLessThan(60)
    expect(bytes).toBeGreaterThan(500)
    expect(await cleared()).toBe(2)
    expect(await house.report()).toMatchObject({ entries: 0, bytes: 0, hits: 2, misses: 2 })
  })

  inHouse('outlives a reload, and tells of the settings in force', async () => {
    await caches('echo', 'echo')
    await house.reload({ ...yaml, admin: { api_key: adminKey }, pipeline: pipelineWith(), cache: { max_entries: 5, ttl: '2h' } })
    expect(await house.report()).toMatchObject({ entries: 1, hits: 1, misses: 1, max_entries: 5, ttl_seconds: 7200 })
    await house.reload({ ...yaml, admin: { api_key: adminKey }, pipeline: pipelineWith(), cache: { enabled: false } })
    await house.chat()
    expect(await house.report()).toMatchObject({ enabled: false, entries: 0, bytes: 0 })
  })

  inHouse('is for the admin key alone', async () => {
    for (const method of ['GET', 'DELETE']) {
      const ask = async (headers: Record<string, string>) => (await fetch(`${house.url}/admin/cache`, { method, headers })).status
      expect([await ask({}), await ask({ 'x-api-key': 'wrong' })]).toEqual([401, 401])
    }
    await using closed = await openCachingHouse({ yaml: { ...yaml, api_key: 'test-key' } })
    for (const method of ['GET', 'DELETE']) {
      const ask = async (key: string) => (await fetch(`${closed.url}/admin/cache`, { method, headers: { 'x-api-key': key } })).status
      expect([await ask('test-key'), await ask(adminKey)]).toEqual([403, 200])
    }
    expect((await fetch(`${house.url}/admin/cache`, { method: 'POST', headers: { 'x-api-key': adminKey } })).status).toBe(405)
  })
})

describe('DELETE /admin/cache', () => {
  inHouse('drops everything', async () => {
    await caches('smart', 'gpt', 'other', 'echo')
    expect(await cleared()).toBe(4)
    expect(await caches('smart', 'gpt', 'other', 'echo')).toEqual(['MISS', 'MISS', 'MISS', 'MISS'])
    expect([await cleared(), await cleared()]).toEqual([4, 0])
  })

  inHouse('drops those of one model, whichever of its names is given', async () => {
    for (const name of ['smart', 'gpt', 'gpt-too']) {
      await caches('smart', 'gpt', 'other', 'echo')
      expect(await cleared(`?model=${name}`)).toBe(2)
      expect(await caches('other', 'echo', 'smart', 'gpt')).toEqual(['HIT', 'HIT', 'MISS', 'MISS'])
    }
    expect(await cleared('?model=nobody')).toBe(0)
    expect(await cleared('?model=echo')).toBe(1)
    await caches('near/echo', 'near/len')
    expect(await cleared('?model=near%2Fecho')).toBe(2) // one entry of the config stands for both
  })

  inHouse('also of embeddings and streams', async () => {
    const embed = async () => (await house.post('/v1/embeddings', JSON.stringify({ model: 'smart', input: ['a', 'b'] }))).cache
    const stream = async () => (await house.chat({ model: 'smart', stream: true })).cache
    expect([await embed(), await stream()]).toEqual(['MISS', 'MISS'])
    expect(await cleared('?model=gpt')).toBe(3)
    expect([await embed(), await stream(), await embed(), await stream()]).toEqual(['MISS', 'MISS', 'HIT', 'HIT'])
  })

  inHouse('refuses what it might misunderstand, and drops nothing then', async () => {
    await caches('smart', 'other')
    for (const query of ['?model=', '?modle=smart', '?model=smart&all=1', '?model=smart&model=other']) {
      const answer = await house.clear(query)
      expect([query, answer.status]).toEqual([query, 400])
      expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error', code: 'invalid_query' } })
      expect(await house.report()).toMatchObject({ entries: 2 })
    }
  })

  inHouse('while a generation runs: its answer is not kept, and newcomers do not join it', async () => {
    for (const [how, query] of [
      [{ stream: true }, ''],
      [{}, ''],
      [{ stream: true }, '?model=hold-mid'],
    ] as const) {
      vllm.clear()
      const fields = { model: 'hold-mid', ...how }
      const before = house.open(fields)
      await vllm.until(() => vllm.streams.length === 1, 'one')
      await house.clear(query)
      const after = house.open(fields)
      await vllm.until(() => vllm.streams.length === 2, 'two')
      const joiner = house.open(fields)
      await eventually(() => house.serving.gateway.exchanges.list().length === 3, 'three')
      vllm.release()
      expect(await Promise.all([before, after, joiner].map(({ ended }) => ended))).toEqual(['complete', 'complete', 'complete'])
      expect(joiner.text).toBe(after.text)
      expect(joiner.text).not.toBe(before.text)
      expect(vllm.streams).toHaveLength(2)
      expect((await house.chat(fields)).body).toBe(after.text)
      await house.clear()
    }
  })

  inHouse('while a batch of embeddings runs', async () => {
    const embed = (input: unknown) => house.post('/v1/embeddings', JSON.stringify({ model: 'hold', input }))
    const running = embed(['a', 'b'])
    await vllm.until(() => vllm.streams.length === 1, 'it is there')
    await house.clear()
    vllm.release()
    expect((await running).status).toBe(200)
    expect(await house.report()).toMatchObject({ entries: 0, bytes: 0 })
  })
})

describe('cache_scope', () => {
  const open = (cache: object, scope?: string) =>
    openCachingHouse({
      files: { 'keys.ts': managedKeys },
      yaml: {
        ...yaml,
        pipeline: pipelineWith({ above: ['./keys.ts'] }),
        cache,
        models: [{ name: 'm', ...(scope && { cache_scope: scope }), targets: [{ backend: 'up', model: 'echo' }] }],
      },
    })
  const asks = [{ 'x-managed': '1' }, { 'x-managed': '1' }, { 'x-managed': '2' }, {}, {}] as Record<string, string>[]

  test.each<[string, object, string | undefined, Record<string, string>, string]>([
    ['nobody says anything', {}, undefined, {}, 'MISS HIT MISS MISS HIT'],
    ['cache.scope: key', { scope: 'key' }, undefined, {}, 'MISS HIT MISS MISS HIT'],
    ['cache.scope: all', { scope: 'all' }, undefined, {}, 'MISS HIT HIT HIT HIT'],
    ['cache_scope: key', {}, 'key', {}, 'MISS HIT MISS MISS HIT'],
    ['cache_scope: all', {}, 'all', {}, 'MISS HIT HIT HIT HIT'],
    ['cache_scope: off', {}, 'off', {}, 'BYPASS BYPASS BYPASS BYPASS BYPASS'],
    ['the model goes before the common word', { scope: 'all' }, 'key', {}, 'MISS HIT MISS MISS HIT'],
    ['also when it is wider', { scope: 'key' }, 'all', {}, 'MISS HIT HIT HIT HIT'],
    ['the key says all', {}, undefined, { 'x-scope': 'all' }, 'MISS HIT HIT HIT HIT'],
    ['the key says off', { scope: 'all' }, 'all', { 'x-scope': 'off' }, 'BYPASS BYPASS BYPASS MISS HIT'],
    ['the key says key where all may', { scope: 'all' }, 'all', { 'x-scope': 'key' }, 'MISS HIT MISS MISS HIT'],
    ['the key says all where the model says key', {}, 'key', { 'x-scope': 'all' }, 'MISS HIT MISS MISS HIT'],
  ])('%s', async (_, cache, scope, headers, expected) => {
    await using scoped = await open(cache, scope)
    const seen = []
    for (const ask of asks) seen.push((await scoped.chat({ model: 'm' }, { ...ask, ...(ask['x-managed'] && headers) })).cache)
    expect(seen.join(' ')).toBe(expected)
    const streams = []
    for (const ask of asks) {
      const asker = { ...ask, ...(ask['x-managed'] && headers) }
      streams.push((await scoped.chat({ model: 'm', max_tokens: 9, stream: true }, asker)).cache)
    }
    expect(streams).toEqual(seen)
  })
})
