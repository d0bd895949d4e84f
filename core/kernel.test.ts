import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { fakeOpenai } from './testing/fake-openai.ts'
import type { FakeServer } from './testing/fake-server.ts'
import { type House, openHouse } from './testing/open-house.ts'

let fake: FakeServer
let house: House

beforeAll(async () => {
  fake = await fakeOpenai()
  house = await openHouse({
    yaml: {
      api_key: 'k',
      backends: { up: { type: 'openai-compatible', base_url: fake.url } },
      max_body_size: 100_000,
      cors_origins: ['http://localhost', 'https://app.example'],
    },
  })
})
afterAll(async () => {
  await house.stop()
  await fake.stop()
})

const key = { 'x-api-key': 'k' }
const chat = (body: unknown, init: RequestInit & { headers?: Record<string, string> } = {}) =>
  fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    ...init,
    headers: { ...key, 'content-type': 'application/json', ...init.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const hello = { model: 'echo', messages: [{ role: 'user', content: 'hi' }] }

/** The envelope of an error answer, with what every one of them must have checked on the way. */
async function envelope(response: Response) {
  expect(response.headers.get('content-type')).toStartWith('application/json')
  const { error } = (await response.json()) as { error: Record<string, unknown> }
  expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'request_id', 'type'])
  expect(error.request_id).toBe(response.headers.get('x-request-id'))
  return { status: response.status, ...error } as {
    status: number
    message: string
    type: string
    code: string | null
    param: string | null
  }
}

describe('every error comes in the envelope', () => {
  test('an unknown path is a 404', async () => {
    expect(await envelope(await fetch(`${house.url}/nope`, { headers: key }))).toMatchObject({
      status: 404,
      type: 'invalid_request_error',
      code: 'unknown_url',
    })
  })

  test('an unknown path without a key is a 401', async () => {
    expect(await envelope(await fetch(`${house.url}/nope`))).toMatchObject({
      status: 401,
      message: 'Invalid API key',
      code: 'invalid_api_key',
    })
  })

  test('a wrong method is a 405 that says which are right', async () => {
    const response = await fetch(`${house.url}/v1/chat/completions`, { headers: key })
    expect(response.headers.get('allow')).toBe('POST, OPTIONS')
    expect(await envelope(response)).toMatchObject({ status: 405, code: 'method_not_allowed' })
  })

  test.each([
    ['{bad', 'Invalid request body', 'invalid_json', null],
    ['[]', 'Invalid request body', 'invalid_json', null],
    ['', 'Invalid request body', 'invalid_json', null],
    ['{}', 'Model is required', 'missing_model', 'model'],
    ['{"model":7}', 'Invalid request body', 'invalid_type', 'model'],
    ['{"model":"echo"}', 'Messages are required', 'missing_messages', 'messages'],
    ['{"model":"echo","messages":[]}', 'Messages are required', 'missing_messages', 'messages'],
    ['{"model":"echo","messages":["hi"]}', 'Invalid request body', 'invalid_type', 'messages[0]'],
    [
      '{"model":"echo","messages":[{"role":"user","content":"hi"}],"temperature":"a"}',
      'Invalid request body',
      'invalid_type',
      'temperature',
    ],
  ])('%s is a 400', async (body, message, code, param) => {
    expect(await envelope(await chat(body))).toEqual(expect.objectContaining({ status: 400, message, code, param }))
  })

  test('JSON of 200 levels passes, of 201 is a 400, of a hundred thousand does not topple anything', async () => {
    const nested = (levels: number) =>
      `{"model":"echo","messages":[{"role":"user","content":"hi"}],"metadata":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
    await using lenient = await openHouse({ yaml: { backends: { up: { type: 'echo' } } } })
    const post = (body: string) => fetch(`${lenient.url}/v1/chat/completions`, { method: 'POST', body })
    expect((await post(nested(200))).status).toBe(200)
    expect(await envelope(await post(nested(201)))).toMatchObject({ status: 400, code: 'json_too_deep' })
    expect((await post(nested(100_000))).status).toBe(400)
    expect((await post('['.repeat(10_000_000))).status).toBe(400)
    expect((await post('{"a":'.repeat(5_000_000))).status).toBe(400)
    expect((await post(nested(10))).status).toBe(200)
  })

  test('a body that is no JSON by its own word is a 415', async () => {
    expect(await envelope(await chat(hello, { headers: { 'content-type': 'application/xml' } }))).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
    })
    expect(await envelope(await chat(hello, { headers: { 'content-encoding': 'gzip' } }))).toMatchObject({ status: 415 })
  })

  test('what curl -d sends without a header is read as JSON', async () => {
    expect((await chat(hello, { headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status).toBe(200)
  })

  test.each([
    ['Response.error()', 'Response.error()'],
    ['nothing', 'undefined'],
    ['a used response', "fetch('data:,x').then(async response => { await response.text(); return response })"],
  ])('a plugin that answers with %s is a 500 in the envelope', async (_, answer) => {
    await using broken = await openHouse({
      yaml: { backends: { up: { type: 'echo' } }, pipeline: ['auth', './buggy.ts', 'router'] },
      files: { 'buggy.ts': `export default { name: 'buggy', setup: () => ({ handle: () => ${answer} }) }` },
    })
    const response = await fetch(`${broken.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(hello) })
    expect(await envelope(response)).toMatchObject({ status: 500, code: 'internal_error' })
  })

  test('a body of millions of values is a 400, and costs little', async () => {
    await using lenient = await openHouse({ yaml: { backends: { up: { type: 'echo' } } } })
    const body = `{"model":"echo","messages":[{"role":"user","content":"hi"}],"x":[${'[],'.repeat(3_000_000)}1]}`
    const response = await fetch(`${lenient.url}/v1/chat/completions`, { method: 'POST', body })
    expect(await envelope(response)).toMatchObject({ status: 400, code: 'json_too_large' })
    const image = `{"model":"echo","messages":[{"role":"user","content":"${'x'.repeat(20_000_000)}"}]}`
    expect((await fetch(`${lenient.url}/v1/chat/completions`, { method: 'POST', body: image })).status).toBe(200)
  })

  test('a bug is a 500 that says nothing but the id, and the log has the rest', async () => {
    await using broken = await openHouse({
      yaml: { backends: { up: { type: 'echo' } }, pipeline: ['auth', './buggy.ts', 'router'] },
      files: { 'buggy.ts': `export default { name: 'buggy', setup: () => ({ handle() { throw new TypeError('secret detail') } }) }` },
    })
    const response = await fetch(`${broken.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(hello),
      headers: { 'x-request-id': 'bug-1' },
    })
    const error = await envelope(response)
    expect(error).toMatchObject({ status: 500, type: 'server_error', code: 'internal_error' })
    expect(error.message).not.toContain('secret detail')
    expect(broken.lines.find(line => line.request_id === 'bug-1' && line.level === 'error')).toMatchObject({
      err: { message: 'secret detail' },
    })
  })
})

describe('bodies', () => {
  test('one that says it is too large is refused before it is read', async () => {
    const socket = connect(Number(new URL(house.url).port), '127.0.0.1')
    socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-API-Key: k\r\nContent-Type: application/json\r\nContent-Length: 60000000\r\n\r\n{',
    )
    const answer = await new Promise<string>(resolve => socket.once('data', data => resolve(String(data))))
    expect(answer).toStartWith('HTTP/1.1 413')
    socket.destroy()
  })

  test('one that grows too large in chunks is refused without reading on', async () => {
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await Bun.sleep(0)
        sent += 10_000
        if (sent > 50_000_000) return controller.close()
        controller.enqueue(new Uint8Array(10_000).fill(32))
      },
    })
    const response = await fetch(`${house.url}/v1/chat/completions`, { method: 'POST', headers: key, body, duplex: 'half' } as RequestInit)
    expect(await envelope(response)).toMatchObject({ status: 413, code: 'body_too_large' })
    expect(sent).toBeLessThan(50_000_000)
  })

  test('a stranger gets a 401, not a 413 or a 400: the body is read after the key is known', async () => {
    fake.clear()
    expect((await chat('x'.repeat(200_000), { headers: { 'x-api-key': 'wrong' } })).status).toBe(401)
    expect((await chat('{bad', { headers: { 'x-api-key': 'wrong' } })).status).toBe(401)
    expect(fake.requests).toHaveLength(0)
  })

  test("the client's own bytes go upstream when nothing needs to change", async () => {
    fake.clear()
    const body = '{ "model" : "echo",\n "messages":[{"role":"user","content":"h\\u00e9"}], "temperature": 1.50, "seed": 7 }'
    expect((await chat(body)).status).toBe(200)
    expect(fake.requests[0]?.bytes.toString()).toBe(body)
  })
})

/** Sends bytes as they are, and resolves with everything that comes back until the server closes or `ms` are over. */
function rawRequest(text: string, ms = 2000): Promise<string> {
  const socket = connect(Number(new URL(house.url).port), '127.0.0.1', () => socket.write(text))
  let answer = ''
  return new Promise(resolve => {
    const end = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(end, ms)
    socket.on('data', data => {
      answer += String(data)
    })
    socket.on('close', end)
    socket.on('error', end)
  })
}

describe('what a stranger sends', () => {
  test('a path of fifteen thousand slashes costs no time', async () => {
    const from = performance.now()
    for (let i = 0; i < 5; i++) expect((await fetch(`${house.url}${'/'.repeat(15_000)}x`)).status).toBe(401)
    expect(performance.now() - from).toBeLessThan(5000) // each took three seconds
  })

  test('HTTP/1.0 without a Host, and Hosts that are none, are answered like any other', async () => {
    expect(await rawRequest('GET /health/live HTTP/1.0\r\n\r\n', 500)).toContain('200 OK')
    for (const host of ['', '%%%', 'a b', '[', ':::']) {
      const answer = await rawRequest(`GET /nope HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, 500)
      expect(answer).toMatch(/^HTTP\/1\.1 (400|401)/)
      if (answer.includes(' 401 ')) expect(answer).toContain('"code":"invalid_api_key"')
    }
  })

  test('an upload that is given up is no error of ours', async () => {
    const head =
      'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-API-Key: k\r\nX-Request-ID: gone-1\r\nContent-Type: application/json\r\n'
    const socket = connect(Number(new URL(house.url).port), '127.0.0.1', () => socket.write(`${head}Content-Length: 5000\r\n\r\n{"model":`))
    const line = () => house.lines.find(({ request_id, message }) => request_id === 'gone-1' && message === 'HTTP request')
    for (let i = 0; i < 100 && !house.serving.gateway.exchanges.list().some(({ id }) => id === 'gone-1'); i++) await Bun.sleep(5)
    socket.destroy()
    for (let i = 0; i < 200 && !line(); i++) await Bun.sleep(5)
    expect(line()).toMatchObject({ status: 499 })
    expect(house.lines.some(({ request_id, level }) => request_id === 'gone-1' && level === 'error')).toBe(false)
  })

  test('an upload that stops is ended by the operator, and by a stop', async () => {
    await using other = await openHouse({ yaml: { backends: { up: { type: 'echo' } } } })
    const upload = (id: string) => {
      const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: ${id}\r\nContent-Type: application/json\r\n`
      const socket = connect(Number(new URL(other.url).port), '127.0.0.1', () =>
        socket.write(`${head}Content-Length: 5000\r\n\r\n{"model":`),
      )
      return new Promise<string>(resolve => socket.once('data', data => resolve(String(data))).once('close', () => resolve('')))
    }
    const { exchanges } = other.serving.gateway
    const reading = async (id: string) => {
      for (let i = 0; i < 200 && !exchanges.list().some(ctx => ctx.id === id); i++) await Bun.sleep(5)
    }
    const first = upload('up-1')
    await reading('up-1')
    expect(exchanges.cancel('up-1')).toBe(true)
    expect(await first).toStartWith('HTTP/1.1 503')
    const second = upload('up-2')
    await reading('up-2')
    const from = performance.now()
    await other.serving.stop(20_000)
    expect(performance.now() - from).toBeLessThan(10_000)
    expect(await second).toContain('503')
  })

  test('a text full of commas is one value', async () => {
    await using lenient = await openHouse({ yaml: { backends: { up: { type: 'echo' } } } })
    const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: '1,2,[{"\\",'.repeat(500_000) }] })
    expect((await fetch(`${lenient.url}/v1/chat/completions`, { method: 'POST', body })).status).toBe(200)
  })

  test('HEAD on a page is a whole answer in the log too', async () => {
    await fetch(`${house.url}/`, { method: 'HEAD', headers: { accept: 'text/html', 'x-request-id': 'head-1' } })
    const line = () => house.lines.find(({ request_id, message }) => request_id === 'head-1' && message === 'HTTP request')
    for (let i = 0; i < 100 && !line(); i++) await Bun.sleep(5)
    expect(line()).toMatchObject({ status: 200 })
  })

  test.each([
    ['{"model":"echo","Model":"other","messages":[{"role":"user","content":"hi"}]}', 'invalid_field'],
    ['{"model":"echo","STREAM":true,"messages":[{"role":"user","content":"hi"}]}', 'invalid_field'],
    [`{"model":"${'x'.repeat(257)}","messages":[{"role":"user","content":"hi"}]}`, 'invalid_type'],
  ])('%.60s is a 400', async (body, code) => {
    expect(await envelope(await chat(body))).toMatchObject({ status: 400, code })
  })
})

describe('request ids', () => {
  test('a good one is echoed, sent upstream, and in every log line', async () => {
    fake.clear()
    const response = await chat(hello, { headers: { 'x-request-id': 't-1.A_b' } })
    expect(response.headers.get('x-request-id')).toBe('t-1.A_b')
    expect(fake.requests[0]?.headers['x-request-id']).toBe('t-1.A_b')
    expect(house.lines.filter(line => line.request_id === 't-1.A_b')).not.toBeEmpty()
  })

  test.each(['', ' ', 'a b', 'x'.repeat(129), 'ä', '{}'])('%p is replaced by a UUID', async id => {
    const response = await chat(hello, { headers: { 'x-request-id': id === 'ä' ? '%C3%A4' : id } })
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/)
  })

  test('128 characters are not too many', async () => {
    const id = 'x'.repeat(128)
    expect((await chat(hello, { headers: { 'x-request-id': id } })).headers.get('x-request-id')).toBe(id)
  })
})

describe('methods and paths', () => {
  test('HEAD answers like GET, without a body', async () => {
    for (const path of ['/health', '/health/live', '/', '/v1/models']) {
      const response = await fetch(house.url + path, { method: 'HEAD', headers: key })
      expect(response.status).toBe(200)
      expect(await response.text()).toBe('')
    }
  })

  test('a trailing slash is forgiven', async () => {
    expect((await fetch(`${house.url}/v1/models/`, { headers: key })).status).toBe(200)
    expect((await fetch(`${house.url}/health/`)).status).toBe(200)
    const response = await fetch(`${house.url}/v1/chat/completions/`, { method: 'POST', headers: key, body: JSON.stringify(hello) })
    expect(response.status).toBe(200)
  })

  test('a very short host name finds its route', async () => {
    for (const host of ['x', 'gw', 'gw:80']) {
      expect((await fetch(`${house.url}/v1/models`, { headers: { ...key, host } })).status).toBe(200)
      expect((await fetch(`${house.url}/`, { headers: { host } })).status).toBe(200)
      expect((await fetch(`${house.url}/health/live`, { headers: { host } })).status).toBe(200)
    }
  })

  test('/ is a page for browsers and JSON for programs', async () => {
    const page = await fetch(`${house.url}/`, { headers: { accept: 'text/html,*/*' } })
    expect(page.headers.get('content-type')).toStartWith('text/html')
    expect(await page.text()).toContain('<h1>gatehouse</h1>')
    expect(await (await fetch(`${house.url}/`)).json()).toMatchObject({ name: 'gatehouse' })
  })

  test('paths that LlamaGate removed stay 404', async () => {
    expect((await fetch(`${house.url}/v1/extensions`, { headers: key })).status).toBe(404)
  })
})

describe('CORS', () => {
  test('a preflight needs no key and never allows credentials', async () => {
    const response = await fetch(`${house.url}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:5173',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:5173')
    expect(response.headers.get('access-control-allow-headers')).toBe('authorization')
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
    expect(response.headers.get('allow')).toBe('POST, OPTIONS')
    expect(response.headers.get('x-request-id')).toBeString()
  })

  test('an answer, an error and a stream carry the header for an origin on the list, and only for it', async () => {
    for (const [body, headers] of [
      [hello, key],
      ['{bad', key],
      [{ ...hello, stream: true }, key],
    ] as const) {
      const allowed = await chat(body, { headers: { ...headers, origin: 'https://app.example' } })
      expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example')
      await allowed.text()
      const foreign = await chat(body, { headers: { ...headers, origin: 'https://evil.example' } })
      expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
      expect(foreign.headers.get('vary')).toContain('Origin')
      await foreign.text()
    }
  })
})

describe('what a backend says of a failure', () => {
  test('reaches the client without secrets, and the log not at all', async () => {
    const prompt = 'PROMPTSECRET tell me'
    const failing = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch(request) {
        const message = `template failed for ${prompt} at http://box:1/x with key sk-HEADERSECRET in /srv/models/m.gguf for team blue-TEAMSECRET`
        return Response.json(
          { error: { message, code: 'http://x/SECRETCODE', param: '/srv/SECRETPARAM' } },
          { status: request.url.includes('completions') ? 500 : 400 },
        )
      },
    })
    await using sick = await openHouse({
      yaml: {
        backends: {
          up: {
            type: 'openai-compatible',
            base_url: failing.url.origin,
            api_key: 'sk-HEADERSECRET',
            headers: { 'x-team': 'blue-TEAMSECRET' },
          },
        },
      },
    })
    const response = await fetch(`${sick.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ ...hello, messages: [{ role: 'user', content: prompt }] }),
    })
    const text = await response.text()
    expect(response.status).toBe(502)
    expect(text).toContain('template failed')
    expect(text).not.toMatch(/SECRETCODE|SECRETPARAM|HEADERSECRET|TEAMSECRET|box:1|srv/)
    expect(sick.lines.find(({ message }) => message === 'backend failed')).toMatchObject({ backend: 'up', status: 502 })
    expect(JSON.stringify(sick.lines)).not.toMatch(/SECRET/)
    await failing.stop(true)
  })
})

describe('the access log', () => {
  test('has the fields, and neither query, key nor prompt', async () => {
    const response = await fetch(`${house.url}/v1/chat/completions?api_key=SECRETQ`, {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'x-request-id': 'log-1' },
      body: JSON.stringify({ ...hello, messages: [{ role: 'user', content: 'SECRETPROMPT' }] }),
    })
    await response.text()
    const line = house.lines.find(({ request_id, message }) => request_id === 'log-1' && message === 'HTTP request')
    expect(line).toMatchObject({
      method: 'POST',
      path: '/v1/chat/completions',
      status: 200,
      ip: '127.0.0.1',
      model: 'echo',
      key_id: 'api-key',
    })
    expect(line?.latency).toBeNumber()
    expect(JSON.stringify(house.lines)).not.toMatch(/SECRETQ|SECRETPROMPT|Bearer/)
  })
})

test('a plugin that sets what is no header gets its 500, and the answer still has its id', async () => {
  const yaml = { backends: { up: { type: 'echo' } }, pipeline: ['auth', './odd.ts', 'router'] }
  const files = {
    'odd.ts': `export default { name: 'odd', setup: () => ({ handle(ctx, next) {
      ctx.headers.set('x-good', 'yes')
      ctx.headers.set('x-odd', 'two\\r\\nlines: 1')
      return next()
    } }) }`,
  }
  await using odd = await openHouse({ yaml, files })
  const response = await fetch(`${odd.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(hello) })
  expect(response.headers.get('x-good')).toBe('yes')
  expect(response.headers.get('lines')).toBeNull()
  expect(await envelope(response)).toMatchObject({ status: 500, code: 'internal_error' })
})

test('a client that leaves while a plugin waits and looks at no signal is not answered, and costs the upstream nothing', async () => {
  const yaml = { backends: { up: { type: 'openai-compatible', base_url: fake.url } }, pipeline: ['auth', './slow.ts', 'router'] }
  const slow = `
    let go
    export default { name: 'slow', setup: (_, gateway) => {
      gateway.addRoute({ method: 'POST', path: '/go', access: 'open', limited: false, body: 'none', handle: () => { go(); return new Response('{}') } })
      return { async handle(ctx, next) {
        if (ctx.operation === '/go') return next()
        gateway.log.info('waits')
        await new Promise(resolve => { go = resolve })
        return next()
      } }
    } }`
  await using held = await openHouse({ yaml, files: { 'slow.ts': slow } })
  const body = JSON.stringify(hello)
  const socket = connect(Number(new URL(held.url).port), '127.0.0.1')
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: gone-1\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  const line = async (message: string) => {
    for (const deadline = Date.now() + 5000; Date.now() < deadline; await Bun.sleep(2)) {
      const found = held.lines.find(line => line.message === message)
      if (found) return found
    }
    throw new Error(`never came: ${message}`)
  }
  await line('waits')
  const asked = fake.requests.length
  await new Promise(resolve => socket.once('close', resolve).destroy())
  await fetch(`${held.url}/health/live`) // what came before it, the server has heard of
  await fetch(`${held.url}/go`, { method: 'POST' })
  const settled = async () => {
    while (held.serving.gateway.exchanges.list().length > 0) await Bun.sleep(2)
  }
  await settled()
  expect(held.lines.find(({ request_id, message }) => request_id === 'gone-1' && message === 'HTTP request')).toMatchObject({ status: 499 })
  expect(fake.requests).toHaveLength(asked)
})

test('parameters of a path are decoded once, and what cannot be decoded is a 400', async () => {
  const shower = `
    import { definePlugin } from 'gatehouse'
    export default definePlugin({ name: 'shower', setup: (_, gateway) => {
      const route = { method: 'GET', access: 'key', limited: false, body: 'none', handle: ({ params }) => Response.json(params) }
      gateway.addRoute({ ...route, path: '/show/:id/end' })
      gateway.addRoute({ ...route, path: '/rest/*' })
      return {}
    } })`
  const yaml = { backends: { up: { type: 'echo' } }, pipeline: ['auth', './shower.ts', 'router'] }
  await using house = await openHouse({ yaml, files: { 'shower.ts': shower } })
  const show = async (path: string) => (await fetch(house.url + path)).json()
  expect(await show('/show/a%252Fb/end')).toEqual({ id: 'a%2Fb' })
  expect(await show('/show/a%2Fb/end')).toEqual({ id: 'a/b' })
  expect(await show('/show/100%25/end/')).toEqual({ id: '100%' })
  expect(await show('/rest/x/a%252Fb')).toEqual({ '*': 'x/a%2Fb' })
  for (const path of ['/show/%C3/end', '/show/%E0%A4%A/end', '/rest/%FF']) {
    expect(await show(path)).toMatchObject({ error: { code: 'invalid_url' } })
  }
})
