import { describe, expect, test } from 'bun:test'
import { openHouse } from '../../core/testing/open-house.ts'
import { isLocal } from './local.ts'

const echo = { backends: { up: { type: 'echo' } } }
const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hi' }] })
const chat = (url: string, headers: Record<string, string> = {}) => fetch(`${url}/v1/chat/completions`, { method: 'POST', body, headers })

describe('with an API_KEY', () => {
  test.each([
    ['no key', {}, 401],
    ['a wrong X-API-Key', { 'x-api-key': 'no' }, 401],
    ['a bearer without a key', { authorization: 'Bearer' }, 401],
    ['another scheme', { authorization: 'Basic k' }, 401],
    ['a wrong X-API-Key beside a right bearer', { 'x-api-key': 'no', authorization: 'Bearer k' }, 401],
    ['the key', { 'x-api-key': 'k' }, 200],
    ['a bearer', { authorization: 'Bearer k' }, 200],
    ['a bearer in small letters', { authorization: 'bearer k' }, 200],
    ['a bearer in capitals', { authorization: 'BEARER k' }, 200],
    ['an empty X-API-Key beside a right bearer', { 'x-api-key': '', authorization: 'Bearer k' }, 200],
  ])('%s', async (_, headers, status) => {
    await using house = await openHouse({ yaml: { ...echo, api_key: '  k  ' } })
    const response = await chat(house.url, headers as Record<string, string>)
    expect(response.status).toBe(status)
    if (status === 401) {
      expect(await response.json()).toMatchObject({
        error: { message: 'Invalid API key', type: 'invalid_request_error', code: 'invalid_api_key', request_id: expect.any(String) },
      })
    }
  })

  test('the open paths stay open, the others are not', async () => {
    await using house = await openHouse({ yaml: { ...echo, api_key: 'k' } })
    for (const path of ['/health', '/health/live', '/health/ready', '/']) expect((await fetch(house.url + path)).status).toBe(200)
    for (const path of ['/v1/models', '/v1/models/echo', '/nope', '/admin/keys']) expect((await fetch(house.url + path)).status).toBe(401)
  })

  test('the names of backends are in /health only with a key', async () => {
    await using house = await openHouse({ yaml: { ...echo, api_key: 'k' } })
    expect(await (await fetch(`${house.url}/health`)).json()).toEqual({ status: 'healthy' })
    expect(await (await fetch(`${house.url}/health`, { headers: { 'x-api-key': 'k' } })).json()).toEqual({
      status: 'healthy',
      backends: { up: { type: 'echo', status: 'ok' } },
    })
  })

  test('foreign origins and hosts are no matter when a key is shown', async () => {
    await using house = await openHouse({ yaml: { ...echo, api_key: 'k' } })
    expect((await chat(house.url, { 'x-api-key': 'k', origin: 'https://evil.example', host: 'gate.example' })).status).toBe(200)
  })

  test('wrong keys are limited by address, and the right one still enters', async () => {
    await using house = await openHouse({ yaml: { ...echo, api_key: 'k' } })
    const statuses = []
    for (let i = 0; i < 40; i++) statuses.push((await chat(house.url, { 'x-api-key': `wrong-${i}` })).status)
    expect(statuses.slice(0, 20)).toEqual(new Array(20).fill(401))
    expect(statuses.slice(25)).toEqual(new Array(15).fill(429))
    const refused = await chat(house.url, { 'x-api-key': 'wrong' })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' } })
    expect((await chat(house.url, { 'x-api-key': 'k' })).status).toBe(200)
    expect(house.lines.find(({ message }) => message === 'Authentication failed')).toMatchObject({ ip: '127.0.0.1' })
    expect(JSON.stringify(house.lines)).not.toContain('wrong-1')
  })

  test('an open path counts wrong keys too, and stops telling them from right ones', async () => {
    await using house = await openHouse({ yaml: { ...echo, api_key: 'k' } })
    const health = async (secret: string) => (await fetch(`${house.url}/health`, { headers: { 'x-api-key': secret } })).json()
    expect(await health('k')).toHaveProperty('backends')
    for (let i = 0; i < 25; i++) expect(await health(`wrong-${i}`)).not.toHaveProperty('backends')
    expect(await health('k')).not.toHaveProperty('backends')
    expect((await chat(house.url, { 'x-api-key': 'k' })).status).toBe(200)
  })

  test('behind a trusted proxy the address is the one it reports; from anybody else it is not', async () => {
    for (const [trusted_proxies, ip] of [
      [['127.0.0.0/8'], '203.0.113.9'],
      [[], '127.0.0.1'],
    ] as const) {
      await using house = await openHouse({ yaml: { ...echo, api_key: 'k', trusted_proxies } })
      await chat(house.url, { 'x-forwarded-for': '198.51.100.1, 203.0.113.9' })
      expect(house.lines.find(({ message }) => message === 'Authentication failed')).toMatchObject({ ip })
    }
  })
})

describe('open, because there is no key', () => {
  test.each([
    ['any key string', { authorization: 'Bearer whatever' }, 200],
    ['a page of this machine', { origin: 'http://localhost:3000' }, 200],
    ['its own origin', { origin: 'http://localhost:11435', host: 'localhost:11435' }, 200],
    ['a loopback name', { host: 'app.localhost:11435' }, 200],
    ['a foreign page', { origin: 'https://evil.example' }, 403],
    ['an opaque origin', { origin: 'null' }, 403],
    ['a foreign host name that points here', { host: 'evil.example:11435' }, 403],
    ['a host name that only begins like ours', { host: 'localhost.evil.example' }, 403],
    ['a host name with an allowed one in it', { host: '127.0.0.1.evil.example' }, 403],
    ['a host on the list', { host: 'gate.lan:11435' }, 200],
    ['an IPv6 host on the list', { host: '[fd00::1]:11435' }, 200],
    ['a loopback name with its dot', { host: 'localhost.:11435' }, 200],
    ['a loopback name of two parts', { host: 'a.b.localhost' }, 200],
  ])('%s', async (_, headers, status) => {
    await using house = await openHouse({ yaml: { ...echo, allowed_hosts: ['gate.lan', 'fd00::1'] } })
    const response = await chat(house.url, headers as Record<string, string>)
    expect(response.status).toBe(status)
    if (status === 403) expect(await response.json()).toMatchObject({ error: { type: 'permission_error' } })
  })

  test('/health answers whatever the host', async () => {
    await using house = await openHouse({ yaml: echo })
    expect((await fetch(`${house.url}/health`, { headers: { host: 'evil.example', origin: 'https://evil.example' } })).status).toBe(200)
  })

  test('auth: off asks nobody, even with an API_KEY', async () => {
    await using house = await openHouse({ yaml: { ...echo, api_key: 'k', auth: 'off' } })
    expect((await chat(house.url)).status).toBe(200)
  })
})

test('without an auth layer nobody unknown passes: leaving a name out opens nothing', async () => {
  await using house = await openHouse({ yaml: { ...echo, pipeline: ['limiter', 'router'] } })
  expect((await chat(house.url)).status).toBe(401)
  expect((await fetch(`${house.url}/v1/models`)).status).toBe(401)
  expect((await fetch(`${house.url}/health`)).status).toBe(200)
})

test('a route for the admin key lets nobody else in', async () => {
  const plugin = `
    import { definePlugin } from 'gatehouse'
    export default definePlugin({
      name: 'back-office',
      setup(_, gateway) {
        gateway.addRoute({ method: 'GET', path: '/back/:room', access: 'admin', limited: false, body: 'none', handle: ctx => Response.json(ctx.params) })
        return {}
      },
    })`
  await using house = await openHouse({
    yaml: { ...echo, api_key: 'k', admin: { api_key: 'sk-admin-0000' }, pipeline: ['auth', './back-office.ts', 'router'] },
    files: { 'back-office.ts': plugin },
  })
  const status = async (key?: string) => (await fetch(`${house.url}/back/a%20b`, { headers: key ? { 'x-api-key': key } : {} })).status
  expect(await status()).toBe(401)
  expect(await status('k')).toBe(403)
  expect(await status('sk-admin-0000')).toBe(200)
  expect(await (await fetch(`${house.url}/back/a%20b`, { headers: { 'x-api-key': 'sk-admin-0000' } })).json()).toEqual({ room: 'a b' })
})

describe('a program of this machine', () => {
  const asked = (ip: string, headers: Record<string, string> = {}) => isLocal({ ip, request: new Request('http://h', { headers }) })

  test.each(['127.0.0.1', '127.1.2.3', '::1'])('comes from %s', ip => expect(asked(ip)).toBe(true))

  test.each(['', '192.0.2.1', '10.127.0.0', '127.0.0.1.example', '::2', '::ffff:192.0.2.1', 'localhost'])('does not come from %p', ip => {
    expect(asked(ip)).toBe(false)
  })

  test.each(['x-forwarded-for', 'Forwarded', 'X-Forwarded-Host', 'x-forwarded-proto', 'X-Real-IP', 'via'])('brings no %s', name => {
    expect(asked('127.0.0.1', { [name]: '127.0.0.1' })).toBe(false)
    expect(asked('127.0.0.1', { [name]: '' })).toBe(false)
  })
})
