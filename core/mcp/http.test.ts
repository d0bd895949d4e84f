import { expect, test } from 'bun:test'
import { fakeHttp } from './testing/http-server.ts'
import { failureOf, openServers, type ServerPart } from './testing/open-servers.ts'

const at = (url: string, rest: Partial<ServerPart> = {}): ServerPart => ({ name: 'web', transport: 'http', url: `${url}/mcp`, ...rest })
const older = (url: string): ServerPart => ({ name: 'web', transport: 'sse', url: `${url}/sse` })

for (const answer of ['events', 'json'] as const) {
  test(`Streamable HTTP with answers as ${answer}: session, lists, calls`, async () => {
    await using fake = await fakeHttp({ answer })
    const mcp = openServers([at(fake.url, { headers: { Authorization: 'Bearer not-a-real-token' } })])
    expect(await mcp.text('web', 'echo', { text: 'hé 世界' })).toBe('hé 世界')
    expect(mcp.tools().length).toBeGreaterThan(10)
    expect(mcp.server('web')?.about).toMatchObject({ name: 'fake', protocolVersion: '2025-06-18' })
    const [first, ...others] = fake.requests
    expect(first?.headers.get('mcp-session-id')).toBe(null)
    expect(new Set(others.map(({ headers }) => headers.get('mcp-session-id'))).size).toBe(1)
    expect(new Set(others.map(({ headers }) => headers.get('mcp-protocol-version')))).toEqual(new Set(['2025-06-18']))
    expect(new Set(fake.requests.map(({ headers }) => headers.get('authorization')))).toEqual(new Set(['Bearer not-a-real-token']))
    await mcp.close(1_000)
    expect(fake.requests.at(-1)?.method).toBe('DELETE')
  })
}

test('the older HTTP with SSE: lists, calls at the same time', async () => {
  await using fake = await fakeHttp()
  await using mcp = openServers([older(fake.url)])
  const texts = Array.from({ length: 5 }, (_, i) => mcp.text('web', 'echo', { text: String(i) }))
  expect(await Promise.all(texts)).toEqual(['0', '1', '2', '3', '4'])
  expect(mcp.tools().length).toBeGreaterThan(10)
})

test.each([
  ['Streamable HTTP', at],
  ['HTTP with SSE', older],
])('progress over %s is told, also what comes in one piece with the answer', async (_, part) => {
  await using fake = await fakeHttp()
  await using mcp = openServers([part(fake.url)])
  for (let i = 0; i < 20; i++) {
    const heard: unknown[] = []
    await mcp.call({ server: 'web', tool: 'progress', onProgress: ({ progress }) => heard.push(progress) })
    expect(heard).toEqual([1, 2])
  }
})

test('a session of the older kind that ends with its stream is opened anew', async () => {
  const fake = await fakeHttp()
  await using mcp = openServers([older(fake.url)])
  await mcp.stateOf('web', 'healthy')
  await fake.stop()
  await mcp.stateOf('web', 'unhealthy')
  await using _again = await fakeHttp({ port: fake.port })
  expect(await mcp.text('web', 'echo', { text: 'back' })).toBe('back')
})

test('the id of the request reaches the server, with that request only', async () => {
  await using fake = await fakeHttp()
  await using mcp = openServers([at(fake.url)])
  await mcp.call({ server: 'web', tool: 'echo', args: {}, requestId: 't-1' })
  await mcp.call({ server: 'web', tool: 'echo', args: {} })
  const ids = fake.requests.filter(({ body }) => body.includes('tools/call')).map(({ headers }) => headers.get('x-request-id'))
  expect(ids).toEqual(['t-1', null])
})

test('user and password of an address become a header', async () => {
  await using fake = await fakeHttp()
  await using mcp = openServers([at(fake.url.replace('://', '://me:p%40ss@'))])
  await mcp.stateOf('web', 'healthy')
  expect(fake.requests[0]?.headers.get('authorization')).toBe(`Basic ${btoa('me:p@ss')}`)
})

test('no more calls at a time than the config allows, and the stats say so', async () => {
  await using fake = await fakeHttp()
  await using mcp = openServers([at(fake.url)], { connection_pool_size: 3 })
  await mcp.stateOf('web', 'healthy')
  fake.open.most = 0
  const calls = Array.from({ length: 8 }, () => mcp.text('web', 'sleep', { ms: 100 }))
  await mcp.until('all places are taken', () => fake.open.now === 3)
  expect(mcp.server('web')?.stats).toMatchObject({ active: 8, pool: { total: 3, inUse: 3, idle: 0, maxAllowed: 3 } })
  await Promise.all(calls)
  expect(fake.open.most).toBe(3)
  expect(mcp.server('web')?.stats).toMatchObject({ calls: 8, active: 0, pool: { total: 3, inUse: 0, idle: 3, maxAllowed: 3 } })
})

test('connections that nobody used for long are closed', async () => {
  await using fake = await fakeHttp()
  await using mcp = openServers([at(fake.url)], { connection_idle_time: 100 })
  await mcp.text('web', 'echo')
  expect(mcp.server('web')?.stats.pool).toMatchObject({ total: 1, idle: 1 })
  await mcp.until('it is closed', () => mcp.server('web')?.stats.pool?.total === 0)
})

test('who waits for a place has the same limit', async () => {
  await using fake = await fakeHttp()
  await using mcp = openServers([at(fake.url)], { connection_pool_size: 1 })
  await mcp.stateOf('web', 'healthy')
  const first = failureOf(mcp.call({ server: 'web', tool: 'silent', timeoutMs: 600 }))
  await mcp.until('the place is taken', () => mcp.server('web')?.stats.pool?.inUse === 1)
  expect(await failureOf(mcp.call({ server: 'web', tool: 'echo', timeoutMs: 200 }))).toStartWith('timeout:')
  expect(await first).toStartWith('timeout:')
  expect(await mcp.text('web', 'echo', { text: 'free' })).toBe('free')
})

test('a call that is given up holds no connection, and the server hears of it', async () => {
  await using fake = await fakeHttp()
  await using mcp = openServers([at(fake.url)])
  await mcp.stateOf('web', 'healthy')
  expect(await failureOf(mcp.call({ server: 'web', tool: 'silent', timeoutMs: 200 }))).toStartWith('timeout:')
  await mcp.until('the server has lost it', () => fake.open.now === 0)
  await mcp.until('the server has heard', () => fake.requests.some(({ body }) => body.includes('notifications/cancelled')))
})

test('a stream that breaks off is taken up where it ended', async () => {
  await using fake = await fakeHttp({ breaksOff: true })
  await using mcp = openServers([at(fake.url)])
  expect(await mcp.text('web', 'echo', { text: 'resumed' })).toBe('resumed')
  const back = fake.requests.find(({ headers }) => headers.get('last-event-id') !== null)
  expect(back?.method).toBe('GET')
})

test('a stream that ends without the answer fails the call long before its limit', async () => {
  await using fake = await fakeHttp({ deadEnd: true })
  await using mcp = openServers([at(fake.url)])
  expect(await failureOf(mcp.call({ server: 'web', tool: 'echo' }))).toBe('gone: the answer of the server broke off')
})

test('a server that is started again gets a new session, and the call does not notice', async () => {
  await using fake = await fakeHttp()
  await using mcp = openServers([at(fake.url)])
  await mcp.text('web', 'echo')
  fake.forget()
  expect(await mcp.text('web', 'echo', { text: 'new session' })).toBe('new session')
  expect(fake.requests.filter(({ body }) => body.includes('"initialize"'))).toHaveLength(2)
  expect(mcp.server('web')?.stats.errors).toBe(0)
})

test('a server that is gone is unhealthy, and comes back by itself', async () => {
  const fake = await fakeHttp()
  await using mcp = openServers([at(fake.url)], { health_check_interval: 50 })
  await mcp.stateOf('web', 'healthy')
  await fake.stop()
  await mcp.stateOf('web', 'unhealthy')
  expect(await failureOf(mcp.call({ server: 'web', tool: 'echo' }))).toBe('unavailable: nobody answers at its address')
  await using _again = await fakeHttp({ port: fake.port })
  await mcp.stateOf('web', 'healthy')
  expect(await mcp.text('web', 'echo', { text: 'back' })).toBe('back')
})

test('a connection that breaks in the middle of an answer fails the call at once', async () => {
  const fake = await fakeHttp()
  await using mcp = openServers([at(fake.url)])
  await mcp.stateOf('web', 'healthy')
  const call = failureOf(mcp.call({ server: 'web', tool: 'silent' }))
  await mcp.until('it is there', () => fake.open.now === 1)
  await fake.stop()
  expect(await call).toStartWith('gone:')
})

test('a server that wants other credentials is unhealthy and says why, without them', async () => {
  await using fake = await fakeHttp({ status: 401 })
  await using mcp = openServers([at(fake.url, { headers: { 'X-API-Key': 'wrong-key-of-mine' } })])
  await mcp.stateOf('web', 'unhealthy')
  expect(mcp.server('web')?.lastError).toBe(
    'the server answered with the HTTP status 401 (it wants other credentials; see its headers in the config)',
  )
  expect(mcp.lines.join('\n')).not.toContain('wrong-key-of-mine')
  fake.manners.status = undefined
  await mcp.stateOf('web', 'healthy')
})

test('an answer of 5 MB arrives whole, as events and as JSON', async () => {
  await using fake = await fakeHttp()
  await using mcp = openServers([at(fake.url)])
  expect((await mcp.text('web', 'big', { size: 5_000_000 })).length).toBe(5_000_000)
  fake.manners.answer = 'json'
  expect((await mcp.text('web', 'big', { size: 5_000_000 })).length).toBe(5_000_000)
})

test('an answer that never ends is cut off at a size', async () => {
  await using fake = await fakeHttp({ answer: 'json' })
  await using mcp = openServers([at(fake.url)])
  expect(await failureOf(mcp.call({ server: 'web', tool: 'big', args: { size: 70_000_000 } }))).toContain('more than 67108864 bytes')
  expect(await mcp.text('web', 'echo', { text: 'fine' })).toBe('fine')
})

test('a burst of notifications in an answer holds up nobody', async () => {
  await using fake = await fakeHttp()
  await using mcp = openServers([at(fake.url)])
  await mcp.stateOf('web', 'healthy')
  expect(await mcp.text('web', 'burst', { count: 5_000 })).toBe('done')
})

test('what has changed is heard on the standing stream; a server without one is fine, too', async () => {
  await using fake = await fakeHttp()
  await using mcp = openServers([at(fake.url)])
  await mcp.stateOf('web', 'healthy')
  await mcp.until('the stream is open', () => fake.requests.some(({ method }) => method === 'GET'))
  const asked = () => fake.requests.filter(({ body }) => body.includes('prompts/list')).length
  expect(asked()).toBe(1)
  fake.notify('notifications/prompts/list_changed')
  await mcp.until('it was asked again', () => asked() === 2)

  await using without = await fakeHttp({ noStream: true })
  await using other = openServers([at(without.url)])
  expect(await other.text('web', 'echo', { text: 'x' })).toBe('x')
})

test('a redirect within the server is followed, one to elsewhere is not', async () => {
  await using fake = await fakeHttp()
  await using elsewhere = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => Response.redirect(`${fake.url}/mcp`, 307) })
  await using mcp = openServers([
    at(fake.url, { url: `${fake.url}/moved` }),
    at('', { name: 'far', url: `http://127.0.0.1:${elsewhere.port}/mcp`, headers: { 'X-API-Key': 'only-for-the-first' } }),
  ])
  expect(await mcp.text('web', 'echo', { text: 'x' })).toBe('x')
  await mcp.stateOf('far', 'unhealthy')
  expect(fake.requests.some(({ headers }) => headers.get('x-api-key') !== null)).toBe(false)
})
