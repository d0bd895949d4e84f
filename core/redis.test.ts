import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type House, openHouse } from './testing/open-house.ts'
import { type RedisServer, redisMissing, startRedis } from './testing/redis.ts'

const settings = { backends: { up: { type: 'echo' } }, api_key: 'sk-fake-key-of-a-test' }
const health = async ({ url }: House, key = '') => {
  const response = await fetch(`${url}/health`, { headers: { 'x-api-key': key } })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const models = ({ url }: House) => fetch(`${url}/v1/models`, { headers: { 'x-api-key': settings.api_key } })
const until = async (check: () => Promise<boolean>) => {
  const from = performance.now()
  while (!(await check())) {
    if (performance.now() - from > 10_000) throw new Error('it never came to that')
    await Bun.sleep(20)
  }
}

describe.skipIf(redisMissing)('gateways with Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.[Symbol.asyncDispose]())

  test('share their limits', async () => {
    const yaml = { ...settings, rate_limit_rps: 5, redis: { url: server.url } }
    await using first = await openHouse({ yaml })
    await using second = await openHouse({ yaml })
    const from = performance.now()
    const statuses = await Promise.all(Array.from({ length: 40 }, async (_, at) => (await models(at % 2 ? first : second)).status))
    const passed = statuses.filter(status => status === 200).length
    expect(passed).toBeGreaterThanOrEqual(5)
    expect(passed).toBeLessThanOrEqual(6 + (performance.now() - from) / 200)
  })

  test('say degraded while it is lost, with 200, and serve on', async () => {
    await using own = await startRedis()
    await using house = await openHouse({ yaml: { ...settings, redis: { url: own.url } } })
    expect(await health(house)).toMatchObject({ status: 200, body: { status: 'healthy' } })
    expect((await health(house, settings.api_key)).body).toMatchObject({ store: { type: 'redis', status: 'ok' } })
    await own.kill()
    await until(async () => (await health(house)).body.status === 'degraded')
    expect((await health(house)).status).toBe(200)
    expect((await health(house)).body).not.toHaveProperty('store')
    expect((await health(house, settings.api_key)).body).toMatchObject({ store: { type: 'redis', status: 'down' } })
    expect((await models(house)).status).toBe(200)
    await own.restart()
    await until(async () => (await health(house)).body.status === 'healthy')
  })

  test('refuse while it is lost when they shall', async () => {
    await using house = await openHouse({ yaml: { ...settings, redis: { url: 'redis://127.0.0.1:1', on_error: 'deny' } } })
    const response = await models(house)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await response.json()).toMatchObject({ error: { type: 'service_unavailable', code: 'store_unavailable' } })
    expect((await health(house)).status).toBe(200)
  })

  test('take another address, or none, with a reload; the accounts stay with the one of the start', async () => {
    await using house = await openHouse({ yaml: { ...settings, redis: { url: server.url } } })
    const clients = async () => String(await server.command('CLIENT', 'LIST')).match(/name=gatehouse /g)?.length ?? 0
    await until(async () => (await clients()) === 1)
    await house.reload({ ...settings, redis: { url: `${server.url}/3` }, heartbeat: '9s' })
    expect((await models(house)).status).toBe(200)
    await until(async () => (await clients()) === 2)
    expect(house.lines.filter(({ message }) => String(message).startsWith('redis: rate limits'))).toHaveLength(1)
    expect(await server.command('CLIENT', 'LIST')).toMatch(/name=gatehouse .* db=3 /)
    await house.reload(settings)
    await until(async () => (await clients()) === 1)
    expect((await models(house)).status).toBe(200)
  })

  test('keep the connection when a reload changes something else', async () => {
    await using house = await openHouse({ yaml: { ...settings, redis: { url: server.url } } })
    const id = async () => String(await server.command('CLIENT', 'LIST')).match(/id=(\d+).* name=gatehouse /)?.[1]
    const before = await id()
    await house.reload({ ...settings, redis: { url: server.url }, heartbeat: '9s' })
    expect((await models(house)).status).toBe(200)
    expect(before).toBeDefined()
    expect(await id()).toBe(before as string)
  })

  test('refuse an address that makes no sense at their start', async () => {
    const yaml = { ...settings, redis: { url: 'redis://127.0.0.1/zero' } }
    expect(openHouse({ yaml })).rejects.toThrow('redis.url: needs the number of a database')
  })
})
