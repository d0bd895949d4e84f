/** The raw way to a model's own server, against real processes. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import type { RouteContext } from '../../context.ts'
import { freePort } from '../../discover/testing.ts'
import { comesTrue } from '../../testing/keyed.ts'
import { adminKey, json, type ModelHouse, openModels, post, rawCommand } from './testing/house.ts'
import { upstreamRoute } from './upstream.ts'

let house: ModelHouse
beforeAll(async () => {
  const env = { TOKEN: 'of the child' }
  const models = ['raw', 'org/raw', 'org/raw/big', 'mortal'].map(name => ({ name, command: rawCommand, env }))
  house = await openModels([...models, { name: 'keyed', command: `${rawCommand} \${API_KEY}` }], {
    max_loaded_models: 9,
    heartbeat: '100ms',
  })
})
afterAll(() => house.stop())

const up = (path: string, init?: RequestInit) => house.ask(`/upstream/${path}`, init)
const idle = (model: string) => comesTrue(() => house.row(model)?.in_flight === 0, `nobody uses ${model}`)
/** The status line and what comes behind it, as it is on the wire. */
const wire = (path: string, headers: string, done: (text: string) => boolean) =>
  new Promise<string>(resolve => {
    let text = ''
    const socket = connect(Number(new URL(house.url).port), '127.0.0.1')
    socket.setEncoding('latin1')
    socket.on('data', data => {
      text += data
      if (done(text)) socket.destroy()
    })
    socket.on('error', () => resolve(text)) // a reset is what some are about
    socket.on('close', () => resolve(text))
    socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: ${adminKey}\r\n${headers}\r\n`)
  })

describe('what is sent', () => {
  test('starts the model, and gets there as it came: method, path, query and body', async () => {
    expect(house.row('raw')?.state).toBe('stopped')
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const body = method === 'GET' ? undefined : new Uint8Array([0, 255, 10, 13, 128])
      const answer = await json(up('raw/a%2Fb//c/?x=1&y=%20&x=2', { method, ...(body && { body }) }))
      expect(answer).toMatchObject({ method, path: '/a%2Fb//c/?x=1&y=%20&x=2', body: Buffer.from(body ?? []).toString('base64') })
    }
    expect(house.row('raw')).toMatchObject({ state: 'ready', in_flight: 0 })
  })

  test('HEAD has the headers alone', async () => {
    const answer = await up('raw/packed', { method: 'HEAD' })
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([200, 'text/plain', ''])
    await idle('raw')
  })

  test('without what says who the caller is, and how it came', async () => {
    const { headers } = await json(
      up('raw/x', {
        headers: {
          ...{
            authorization: 'Bearer sk-of-the-caller',
            cookie: 'a=b',
            forwarded: 'for=1.2.3.4',
            via: '1.1 proxy',
            'x-real-ip': '1.2.3.4',
          },
          ...{ 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https', origin: 'http://localhost:3000', te: 'trailers' },
          ...{ 'x-mine': 'kept', 'content-type': 'text/odd', 'accept-encoding': 'br' },
        },
      }),
    )
    expect(headers).toMatchObject({ 'x-mine': 'kept', 'content-type': 'text/odd', 'accept-encoding': 'br' })
    expect(Object.keys(headers).filter(name => /api-key|cookie|forward|via|real-ip|origin|^te$/.test(name))).toEqual([])
    expect(headers.host).toBe(`127.0.0.1:${house.row('raw')?.port}`)
    // the server's own key, and not the caller's
    const key = await (await up('keyed/key')).text()
    expect(key).toMatch(/^[\w-]{20,}$/)
    expect((await json(up('keyed/x'))).headers.authorization).toBe(`Bearer ${key}`)
    expect(JSON.stringify(headers)).not.toContain('sk-')
  })

  test('what Connection names is of that connection', async () => {
    const text = await wire('/upstream/raw/x', 'connection: close, x-hop\r\nx-hop: 1\r\nx-stays: 1\r\n', () => false)
    expect(text).toContain('"x-stays":"1"')
    expect(text).not.toContain('x-hop')
  })
})

describe('which model', () => {
  test('the longest name that there is, its slashes encoded or not', async () => {
    for (const [asked = '', model = '', rest] of [
      ['org/raw/v1/models', 'org/raw', '/v1/models'],
      ['org%2Fraw/v1/models', 'org/raw', '/v1/models'],
      ['org/raw/big/v1', 'org/raw/big', '/v1'],
      ['org/raw/bigger', 'org/raw', '/bigger'],
      ['org/raw/', 'org/raw', '/'],
      ['org/raw', 'org/raw', '/'],
    ]) {
      const { path, headers } = await json(up(asked))
      expect([path, headers.host]).toEqual([rest, `127.0.0.1:${house.row(model)?.port}`])
    }
  })

  test('no other is found', async () => {
    for (const path of ['', 'nobody', 'nobody/v1', 'org', 'rawer/x', 'RAW/x', '%2Fraw/x']) {
      const answer = await up(path)
      expect([path, answer.status, (await json(answer)).error.code]).toEqual([path, 404, 'model_not_found'])
    }
    expect((await up('raw/%zz')).status).toBe(400)
  })
})

describe('what comes back', () => {
  test('a stream, byte for byte: no heartbeat between its events, however long it is silent', async () => {
    const whole = 'data: {"t":"wörld 🙂"}\n\n: a comment of mine\r\n\r\nevent: x\ndata: 1'
    expect(await (await up('raw/slices')).text()).toBe(whole)
    expect(await (await up('raw/slow-json')).text()).toBe('{"a":1}')
    await idle('raw')
  })

  test('its encoding, when the caller takes it', async () => {
    const text = await wire('/upstream/raw/packed', 'accept-encoding: gzip\r\nconnection: close\r\n', () => false)
    expect(text.toLowerCase()).toContain('content-encoding: gzip')
    expect(await (await up('raw/packed')).text()).toBe('packed') // fetch unpacks it
  })

  test('its status and words, without cookies and permissions for pages', async () => {
    const answer = await up('raw/teapot')
    expect([answer.status, await answer.text()]).toEqual([418, 'short and stout'])
    expect([answer.headers.get('set-cookie'), answer.headers.get('access-control-allow-origin')]).toEqual([null, null])
    const unchanged = await up('raw/unchanged')
    expect([unchanged.status, unchanged.headers.get('etag')]).toEqual([304, '"1"'])
  })

  test('no redirect: neither followed nor handed on', async () => {
    const answer = await up('raw/redirect')
    expect([answer.status, answer.headers.get('location')]).toEqual([502, null])
    expect((await json(answer)).error).toMatchObject({ type: 'server_error', code: 'bad_gateway' })
  })
})

describe('how long', () => {
  const left = async () => (await json(up('raw/left'))).left as number

  test('the model is held until the last byte; who leaves gives it back, and its server sees the close', async () => {
    const before = await left()
    for (const path of ['endless', 'silent']) {
      const leaver = new AbortController()
      const answer = up(`raw/${path}`, { signal: leaver.signal })
      if (path === 'endless') {
        const reader = ((await answer).body as ReadableStream<Uint8Array>).getReader()
        expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: first\n\n')
      }
      await comesTrue(() => house.row('raw')?.in_flight === 1, 'it is used')
      leaver.abort()
      if (path === 'silent') expect(await answer.catch(error => error.name)).toBe('AbortError')
      await idle('raw')
    }
    await comesTrue(async () => (await left()) === before + 2, 'both were closed')
  })

  test('an unload waits for it, and by force ends it', async () => {
    const reader = ((await up('raw/endless')).body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    const unloaded = house.ask('/admin/models/raw/unload', post())
    await comesTrue(() => house.row('raw')?.state === 'stopping', 'it waits')
    expect((await house.ask('/admin/models/raw/unload', post({ force: true }))).status).toBe(200)
    expect(await json(unloaded)).toMatchObject({ model: 'raw', state: 'stopped', in_flight: 0 })
    expect(
      await reader.read().then(
        ({ done }) => `done: ${done}`,
        () => 'broken',
      ),
    ).toBe('broken') // not as if it were whole
  })

  test('a server that dies in the middle cuts it; before the first byte that is a 502 in the envelope', async () => {
    await up('mortal/')
    const { pid } = house.row('mortal') ?? {}
    const text = await wire('/upstream/mortal/die', '', () => false)
    expect(text).toContain('data: first')
    expect(text.endsWith('\r\n0\r\n\r\n')).toBe(false) // the end of chunks that are complete
    await comesTrue(() => house.row('mortal')?.pid !== pid, 'it is known to have ended')
    const silent = up('mortal/silent')
    silent.catch(() => {})
    await comesTrue(() => house.row('mortal')?.in_flight === 1, 'it waits for the answer')
    process.kill(house.row('mortal')?.pid as number, 'SIGKILL')
    const { status } = await silent
    expect([status, (await json(silent)).error.code]).toEqual([502, 'bad_gateway'])
  })

  test('a request that finds nobody at home, because nobody knew yet that the server has ended, waits for the next start', async () => {
    using server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('the next') })
    const used: string[] = []
    const route = (lost: boolean) => {
      used.length = 0
      return upstreamRoute({
        has: () => true,
        async use() {
          const gone = new AbortController()
          const isFirst = used.push('used') === 1
          if (isFirst && lost) setTimeout(() => gone.abort(), 20)
          const port = isFirst ? await freePort() : Number(server.port)
          const release = () => void used.push('released')
          return { baseUrl: `http://127.0.0.1:${port}`, port, gone: gone.signal, release, [Symbol.dispose]: release }
        },
      })
    }
    const url = new URL('http://localhost/upstream/m/x')
    const ctx = {
      ...{ request: new Request(url.href), url, path: url.pathname, params: { '*': 'm/x' }, principal: { id: 'admin', kind: 'admin' } },
      ...{ signal: new AbortController().signal, wire: () => new Uint8Array(0), onSettled: () => {} },
    } as Partial<RouteContext> as RouteContext
    expect(await (await route(true).handle(ctx)).text()).toBe('the next')
    expect(used).toEqual(['used', 'released', 'used'])
    // one that is still there, and does not listen
    expect(await Promise.resolve(route(false).handle(ctx)).catch(error => error.code)).toBe('bad_gateway')
    expect(used).toEqual(['used', 'released'])
  })
})
