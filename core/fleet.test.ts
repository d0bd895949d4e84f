import { describe, expect, test } from 'bun:test'
import { type House, openHouse } from './testing/open-house.ts'
import { redisMissing, startRedis } from './testing/redis.ts'

const adminKey = 'sk-admin-0000'

describe.skipIf(redisMissing)('two gateways with Redis', () => {
  const ask = async ({ url }: House, method: string, path: string, body?: unknown) => {
    const init = { method, headers: { authorization: `Bearer ${adminKey}` }, ...(body !== undefined && { body: JSON.stringify(body) }) }
    const response = await fetch(url + path, init)
    const text = await response.text()
    // biome-ignore lint/suspicious/noExplicitAny: what tests look at
    return { status: response.status, json: (text === '' ? undefined : JSON.parse(text)) as any }
  }
  const chat = async ({ url }: House, key: string, model = 'm') => {
    const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] })
    return (await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body })).status
  }
  const until = async (check: () => Promise<boolean>) => {
    const from = performance.now()
    while (!(await check())) {
      if (performance.now() - from > 10_000) throw new Error('it never came to that')
      await Bun.sleep(5)
    }
    return performance.now() - from
  }

  test('share keys and models: a key that is revoked at one is refused by the other within a second', async () => {
    await using server = await startRedis()
    const yaml = { backends: { up: { type: 'echo' } }, admin: { api_key: adminKey }, redis: { url: server.url } }
    await using one = await openHouse({ yaml })
    await using other = await openHouse({ yaml })
    for (let round = 0; round < 5; round++) {
      const made = await ask(one, 'POST', '/admin/keys', { name: `key ${round}` })
      expect(made.status).toBe(201)
      await until(async () => (await chat(other, made.json.key)) === 200)
      expect((await ask(one, 'DELETE', `/admin/keys/${made.json.id}`)).status).toBe(204)
      expect(await until(async () => (await chat(other, made.json.key)) === 401)).toBeLessThan(1000)
    }
    const model = await ask(other, 'POST', '/admin/models', { name: 'made', backend: 'up', upstream_model: 'm' })
    expect(model.status).toBe(201)
    const key = (await ask(other, 'POST', '/admin/keys', { name: 'last' })).json.key
    await until(async () => (await chat(one, key, 'made')) === 200)
    await server.kill()
    expect(await chat(one, key, 'made')).toBe(200)
    const refused = await ask(one, 'POST', '/admin/keys', { name: 'no' })
    expect(refused).toMatchObject({ status: 503, json: { error: { code: 'store_unavailable' } } })
    expect((await ask(one, 'GET', '/admin/keys')).json.total).toBe(1)
    await server.restart()
    await until(async () => (await ask(other, 'POST', '/admin/keys', { name: 'yes' })).status === 201)
    await until(async () => (await ask(one, 'GET', '/admin/keys')).json.total === 2)
    expect(await chat(one, key, 'made')).toBe(200)
  }, 60_000)
})
