import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createServer } from 'node:http'
import { fakeOllama } from '../../core/testing/fake-ollama.ts'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import type { FakeServer } from '../../core/testing/fake-server.ts'
import { type House, openHouse } from '../../core/testing/open-house.ts'
import { listenOnFreePort } from '../../core/testing/server/free-port.ts'

let first: FakeServer
let second: FakeServer
let ollama: FakeServer
let dead: string
let house: House

const freePort = async () => {
  const server = createServer()
  const port = await listenOnFreePort(server, undefined)
  await new Promise(resolve => server.close(resolve))
  return port
}

beforeAll(async () => {
  ;[first, second, ollama] = await Promise.all([fakeOpenai(), fakeOpenai(), fakeOllama({ models: ['mistral:latest', 'llama3.2:3b'] })])
  dead = `http://127.0.0.1:${await freePort()}`
  house = await openHouse({
    yaml: {
      backends: {
        first: { type: 'openai-compatible', base_url: first.url },
        second: { type: 'openai-compatible', base_url: `${second.url}/v1/` },
        home: { type: 'ollama', base_url: ollama.url },
        dead: { type: 'openai-compatible', base_url: dead },
        noKey: { type: 'openai-compatible', base_url: first.url },
      },
      models: [
        { name: 'smart', aliases: ['gpt-4o'], targets: [{ backend: 'first', model: 'echo' }] },
        ...['dead', 'boom', 'busy', 'down-once', 'reset', 'redirect', 'missing', 'hold-first', 'break'].map(model => ({
          name: `over-${model}`,
          targets: [
            { backend: model === 'dead' ? 'dead' : 'first', model },
            { backend: 'second', model: 'echo' },
          ],
        })),
        { name: 'edited', targets: [{ backend: 'first', model: 'params', set: { temperature: 0.3 }, strip: ['seed'] }] },
        { name: 'near/*', targets: [{ backend: 'first' }] },
        { name: 'far-*', targets: [{ backend: 'second', model: '*' }] },
        { name: 'dead-alone', targets: [{ backend: 'dead', model: 'x' }] },
        { name: 'hold', targets: [{ backend: 'first', model: 'hold' }] },
      ],
      timeouts: { first_token: '2s', idle: '2s' },
    },
  })
})
afterAll(async () => {
  await house.stop()
  await Promise.all([first, second, ollama].map(fake => fake.stop()))
})

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly json: {
    model: string
    choices: { message: { content: string } }[]
    error: { message: string; code: string | null; type: string }
  }
}

const ask = async (model: string, more: object = {}): Promise<Answer> => {
  const response = await post(model, more)
  return { status: response.status, headers: response.headers, json: (await response.json()) as Answer['json'] }
}
const post = (model: string, more: object = {}, init: RequestInit = {}) =>
  fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], ...more }),
    ...init,
  })
const events = (text: string) =>
  text
    .split('\n\n')
    .filter(block => block.startsWith('data: '))
    .map(block => block.slice('data: '.length))
const clear = () => {
  for (const fake of [first, second, ollama]) fake.clear()
}

describe('names', () => {
  test('a configured name and its alias go to the target, and the answer carries the name that was asked', async () => {
    for (const name of ['smart', 'gpt-4o']) {
      clear()
      const { json } = await ask(name)
      expect(json.model).toBe(name)
      expect(first.requests[0]?.json).toMatchObject({ model: 'echo' })
    }
  })

  test('a wildcard hands the rest of the name on', async () => {
    clear()
    expect((await ask('near/echo')).json.model).toBe('near/echo')
    expect(first.requests[0]?.json).toMatchObject({ model: 'echo' })
    expect((await ask('far-echo')).status).toBe(200)
    expect(second.requests[0]?.json).toMatchObject({ model: 'echo' })
  })

  test('what a wildcard stands for is taken literally, and must be something', async () => {
    clear()
    await ask('far-a$$b$&')
    expect(second.requests[0]?.json).toMatchObject({ model: 'a$$b$&' })
    expect((await ask('near/')).status).toBe(404)
  })

  test('a name goes to the backend that lists it; without a tag it means :latest', async () => {
    clear()
    expect((await ask('mistral')).json.model).toBe('mistral')
    expect(ollama.requests.find(({ path }) => path === '/api/chat')?.json).toMatchObject({ model: 'mistral:latest' })
    expect((await ask('llama3.2:3b')).status).toBe(200)
  })

  test('a name nobody knows is a 404', async () => {
    const { status, json } = await ask('nobody-has-this')
    expect(status).toBe(404)
    expect(json.error).toMatchObject({ code: 'model_not_found', type: 'invalid_request_error' })
  })

  test('set and strip change what goes upstream', async () => {
    clear()
    await ask('edited', { temperature: 0.9, seed: 4, top_p: 0.5 })
    expect(first.requests[0]?.json).toMatchObject({ model: 'params', temperature: 0.3, top_p: 0.5 })
    expect(first.requests[0]?.json).not.toHaveProperty('seed')
  })

  test('/v1/models merges config and backends and survives the dead one', async () => {
    const list = (await (await fetch(`${house.url}/v1/models`)).json()) as {
      object: string
      data: { id: string; owned_by: string; object: string }[]
    }
    expect(list.object).toBe('list')
    const ids = list.data.map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(['smart', 'mistral:latest', 'llama3.2:3b', 'echo']))
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.some(id => id.includes('*'))).toBe(false)
    expect(list.data.find(({ id }) => id === 'mistral:latest')).toMatchObject({ object: 'model', owned_by: 'ollama' })
  })

  test('/v1/models/{id} knows listed names, aliases and tagless names, and nothing else', async () => {
    for (const id of ['smart', 'gpt-4o', 'mistral', 'mistral:latest']) {
      const response = await fetch(`${house.url}/v1/models/${encodeURIComponent(id)}`)
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ object: 'model' })
    }
    expect((await fetch(`${house.url}/v1/models/nobody-has-this`)).status).toBe(404)
  })

  test('/v1/models is never an empty 200 because a backend failed', async () => {
    const failing = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => Response.json({ models: [] }, { status: 500 }) })
    for (const base_url of [dead, failing.url.href]) {
      await using alone = await openHouse({ yaml: { backends: { home: { type: 'ollama', base_url } } } })
      const response = await fetch(`${alone.url}/v1/models`)
      expect(response.status).toBe(502)
      expect(await response.json()).toMatchObject({ error: { type: 'server_error' } })
    }
    await failing.stop(true)
  })
})

describe('fallback and retry', () => {
  test.each(['dead', 'boom', 'busy', 'down-once', 'reset', 'redirect'])('%s: the next target answers', async model => {
    clear()
    const { status, json } = await ask(`over-${model}`)
    expect(status).toBe(200)
    expect(json.model).toBe(`over-${model}`)
    expect(second.requests).toHaveLength(1)
  })

  test('a 4xx is the request’s own fault: no other backend is asked, and the message comes through', async () => {
    clear()
    const { status, json } = await ask('over-missing')
    expect(status).toBe(404)
    expect(json.error.message).toContain('missing')
    expect(second.requests).toHaveLength(0)
  })

  test('a connection that is reset before any byte is tried again', async () => {
    clear()
    expect((await ask('near/reset-once')).status).toBe(200)
    expect(first.requests).toHaveLength(2)
  })

  test('a 503 and a 429 are tried again, Retry-After honoured', async () => {
    clear()
    expect((await ask('near/down-once')).status).toBe(200)
    const from = performance.now()
    expect((await ask('near/busy-once')).status).toBe(200)
    expect(performance.now() - from).toBeGreaterThanOrEqual(990)
  })

  test('a Retry-After that is too long is handed to the client at once', async () => {
    clear()
    const { status, headers, json } = await ask('near/busy')
    expect(status).toBe(429)
    expect(Number(headers.get('retry-after'))).toBeWithin(50, 61) // another test may have asked before
    expect(json.error.type).toBe('rate_limit_error')
    clear()
    expect((await ask('near/busy')).status).toBe(429)
    expect(first.requests).toHaveLength(0) // it has asked for patience, and gets it
  })

  test('a 500 is not sent to the same backend again', async () => {
    clear()
    const { status, json } = await ask('near/boom')
    expect(status).toBe(502)
    expect(json.error.type).toBe('server_error')
    expect(first.requests).toHaveLength(1)
  })

  test('nobody there: 502 after the retries, without a word about where', async () => {
    const { status, json } = await ask('dead-alone')
    expect(status).toBe(502)
    expect(json.error).toMatchObject({ type: 'server_error', code: 'bad_gateway', message: 'Failed to connect to the model backend' })
    expect(JSON.stringify(json)).not.toContain(new URL(dead).port)
  })

  test('a backend that refuses our own key is our fault, not the client’s', async () => {
    const guarded = await fakeOpenai({ apiKey: 'sk-right' })
    await using alone = await openHouse({
      yaml: { backends: { up: { type: 'openai', base_url: guarded.url, api_key: 'sk-wrong-000000' } } },
    })
    const response = await fetch(`${alone.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'x' }] }),
    })
    expect(response.status).toBe(502)
    expect(await response.text()).not.toContain('sk-')
    await guarded.stop()
  })

  test('a stream falls back until its first event was forwarded', async () => {
    clear()
    for (const model of ['dead', 'boom', 'reset', 'hold-first']) {
      const text = await (await post(`over-${model}`, { stream: true })).text()
      expect(text).toEndWith('data: [DONE]\n\n')
    }
  }, 20_000)

  test('a stream that breaks later ends with one error event and no [DONE]', async () => {
    const breaking = await fakeOpenai()
    await using alone = await openHouse({ yaml: { backends: { up: { type: 'openai-compatible', base_url: breaking.url } } } })
    const response = await fetch(`${alone.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'hold-mid', stream: true, messages: [{ role: 'user', content: 'x' }] }),
    })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const decoder = new TextDecoder()
    let text = ''
    while (!text.includes('two ')) text += decoder.decode((await reader.read()).value)
    await breaking.stop()
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value)
    expect(text).not.toContain('[DONE]')
    expect(JSON.parse(events(text).at(-1) as string)).toMatchObject({ error: { type: 'server_error', code: 'bad_gateway' } })
  })

  test('an answer that breaks off in its middle is a 502, and another target is asked', async () => {
    clear()
    expect((await ask('near/break')).status).toBe(502)
    expect(first.requests).toHaveLength(1) // the backend has done the work once
    expect((await ask('over-break')).status).toBe(200)
  })

  test('a backend that ignores `stream` still gives its client events', async () => {
    const deaf = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () =>
        Response.json({
          id: 'x',
          choices: [{ message: { role: 'assistant', content: 'whole' } }],
          usage: { prompt_tokens: 1, completion_tokens: 1 },
        }),
    })
    await using alone = await openHouse({ yaml: { backends: { up: { type: 'openai-compatible', base_url: deaf.url.origin } } } })
    const response = await fetch(`${alone.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'x' }] }),
    })
    expect(response.headers.get('content-type')).toStartWith('text/event-stream')
    const text = await response.text()
    expect(JSON.parse(events(text)[0] as string)).toMatchObject({
      model: 'm',
      choices: [{ delta: { role: 'assistant', content: 'whole' } }],
    })
    expect(text).toEndWith('data: [DONE]\n\n')
    await deaf.stop(true)
  })

  test('a stream that cannot begin is a true status, not a stream', async () => {
    const response = await post('near/missing', { stream: true })
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toStartWith('application/json')
  })
})

describe('time', () => {
  const timed = async (yaml: object, run: (url: string) => Promise<void>) => {
    await using alone = await openHouse({ yaml: { backends: { up: { type: 'openai-compatible', base_url: first.url } }, ...yaml } })
    await run(alone.url)
  }
  const call = (url: string, model: string, stream: boolean) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'x' }] }),
    })

  test('no first byte in time is a 504 that names the timeout', () =>
    timed({ timeouts: { first_token: '150ms' } }, async url => {
      for (const model of ['hold', 'hold-first']) {
        const response = await call(url, model, true)
        expect(response.status).toBe(504)
        expect(await response.json()).toMatchObject({ error: { code: 'timeout_first_token', type: 'server_error' } })
      }
      expect((await call(url, 'hold', false)).status).toBe(504)
      first.release()
    }))

  test('silence in the middle is an error event that names the timeout', () =>
    timed({ timeouts: { idle: '150ms' } }, async url => {
      const text = await (await call(url, 'hold-mid', true)).text()
      expect(JSON.parse(events(text).at(-1) as string)).toMatchObject({ error: { code: 'timeout_idle' } })
      expect(text).not.toContain('[DONE]')
      first.release()
    }))

  test('the length of a stream that moves is nobody’s business', () =>
    timed({ timeouts: { idle: '2s', first_token: '2s' } }, async url => {
      const text = await (await call(url, 'burst:15:200', true)).text()
      expect(text).toEndWith('data: [DONE]\n\n')
    }))

  test('the total limit ends even a stream that moves', () =>
    timed({ timeouts: { total: '400ms' } }, async url => {
      const text = await (await call(url, 'burst:100:50', true)).text()
      expect(JSON.parse(events(text).at(-1) as string)).toMatchObject({ error: { code: 'timeout_total' } })
    }))

  test('a silent stream gets heartbeats: before the headers, before the first token, and in the middle', () =>
    timed({ heartbeat: '100ms' }, async url => {
      for (const model of ['hold', 'hold-first', 'hold-mid']) {
        first.clear()
        const response = await call(url, model, true)
        expect(response.status).toBe(200)
        const reader = (response.body as ReadableStream<Uint8Array>).getReader()
        let text = ''
        const decoder = new TextDecoder()
        while (text.split(': keep-alive\n\n').length < 3) text += decoder.decode((await reader.read()).value)
        first.release()
        for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value)
        expect(text).toEndWith('data: [DONE]\n\n')
        for (const block of text.trimEnd().split('\n\n')) expect(block).toMatch(/^(data: |: keep-alive$)/)
      }
    }))

  test('an answer after a heartbeat that is no stream becomes one event', async () => {
    const slowJson = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      async fetch() {
        await Bun.sleep(300)
        return new Response('{\n  "type": "message",\n  "model": "m"\n}', { headers: { 'content-type': 'application/json' } })
      },
    })
    await using alone = await openHouse({
      yaml: { backends: { up: { type: 'openai-compatible', base_url: slowJson.url.origin } }, heartbeat: '100ms' },
    })
    const response = await fetch(`${alone.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', stream: true, messages: [] }),
    })
    const text = await response.text()
    expect(text).toStartWith(': keep-alive\n\n')
    expect(text).toEndWith('data: {"type":"message","model":"m"}\n\n')
    await slowJson.stop(true)
  })

  test('an error after a heartbeat is an error event', () =>
    timed({ heartbeat: '100ms', timeouts: { first_token: '300ms' } }, async url => {
      const response = await call(url, 'hold', true)
      expect(response.status).toBe(200)
      const text = await response.text()
      expect(text).toStartWith(': keep-alive\n\n')
      expect(JSON.parse(events(text).at(-1) as string)).toMatchObject({ error: { code: 'timeout_first_token' } })
      expect(text).not.toContain('[DONE]')
      first.release()
    }))
})

describe('a client that leaves closes the upstream', () => {
  const phases = [
    ['while waiting for headers', 'hold', true],
    ['before the first token', 'hold-first', true],
    ['in the middle of the stream', 'hold-mid', true],
    ['without a stream', 'hold', false],
    ['in the middle of an endless stream', 'endless', true],
  ] as const
  const backends = () =>
    [
      ['openai', first],
      ['ollama', ollama],
    ] as const

  test.each(phases)('%s', async (_, model, stream) => {
    for (const [type, fake] of backends()) {
      fake.clear()
      await using alone = await openHouse({ yaml: { backends: { up: { type, base_url: fake.url } } } })
      const leaving = new AbortController()
      const answer = fetch(`${alone.url}/v1/chat/completions`, {
        method: 'POST',
        signal: leaving.signal,
        body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'x' }] }),
      })
      answer.then(response => response.text()).catch(() => {})
      await fake.until(() => fake.streams.length === 1, 'the request to arrive')
      if (model === 'hold-mid' || model === 'endless') await fake.until(() => (fake.streams[0]?.eventsSent ?? 0) >= 2, 'two events')
      leaving.abort()
      await fake.until(() => fake.streams[0]?.ended === 'client-left', `${type} to see the close`)
      const line = () => alone.lines.find(({ message }) => message === 'HTTP request')
      for (let i = 0; i < 200 && !line(); i++) await Bun.sleep(5)
      expect(line()).toMatchObject({ status: 499 })
      expect(alone.serving.gateway.exchanges.list()).toHaveLength(0)
      fake.release()
    }
  })

  test('an operator can end one: the client is told, the upstream closed', async () => {
    first.clear()
    const response = await post('near/hold-mid', { stream: true }, { headers: { 'x-request-id': 'stop-me' } })
    await first.until(() => (first.streams[0]?.eventsSent ?? 0) >= 2, 'two events')
    expect(house.serving.gateway.exchanges.cancel('stop-me')).toBe(true)
    const text = await response.text()
    expect(JSON.parse(events(text).at(-1) as string)).toMatchObject({ error: { code: 'cancelled' } })
    await first.until(() => first.streams[0]?.ended === 'client-left', 'the close')
    expect(house.serving.gateway.exchanges.cancel('stop-me')).toBe(false)
    first.release()
  })
})
