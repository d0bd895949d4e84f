/** Backends that lie, mumble or break: each of these once hung, killed or fooled something. */
import { describe, expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import { gzipSync } from 'bun'
import { type House, openHouse } from '../../core/testing/open-house.ts'
import { httpAnswer, httpChunk, type RawUpstream, rawUpstream, streamHead } from '../../core/testing/raw-upstream.ts'

const messages = [{ role: 'user', content: 'x' }]
const event = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
const hello = event({ role: 'assistant', content: 'hello' })
const stop = event({}, 'stop')
const done = 'data: [DONE]\n\n'
const whole = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
}

async function behind(
  answer: (socket: Socket, count: number) => void,
  run: (ask: (fields?: object, path?: string) => Promise<Response>, upstream: RawUpstream, house: House) => Promise<void>,
  yaml: object = {},
) {
  const upstream = await rawUpstream(answer)
  await using house = await openHouse({
    yaml: { backends: { up: { type: 'openai-compatible', base_url: upstream.url } }, timeouts: { first_token: '1s', idle: '1s' }, ...yaml },
  })
  const ask = (fields: object = {}, path = '/v1/chat/completions') =>
    fetch(house.url + path, { method: 'POST', body: JSON.stringify({ model: 'm', messages, ...fields }) })
  await run(ask, upstream, house)
  expect(house.serving.gateway.exchanges.list()).toHaveLength(0)
  await upstream.stop()
}
const errorOf = async (response: Response) => ((await response.json()) as { error: { message: string; code: string; type: string } }).error

describe.each([true, false])('stream: %p', stream => {
  test.each(['999 X', '000 X', '700 X', '101 Switching Protocols', '204 No Content', '304 Not Modified', '200'])(
    'a status like %p is a bad gateway',
    async status => {
      await behind(
        socket =>
          socket.end(
            httpAnswer(status, { 'content-length': '0', ...(status.startsWith('101') && { upgrade: 'x', connection: 'upgrade' }) }, ''),
          ),
        async ask => {
          const response = await ask({ stream })
          expect([502, 504]).toContain(response.status)
          expect((await errorOf(response)).type).toBe('server_error')
        },
      )
    },
  )

  test('an error inside a 200 is an error, in the words of the backend', () =>
    behind(
      socket => socket.end(httpAnswer('200 OK', { 'content-type': 'application/json' }, '{"error":{"message":"CUDA out of memory"}}')),
      async ask => {
        const response = await ask({ stream })
        expect(response.status).toBe(502)
        expect((await errorOf(response)).message).toBe('CUDA out of memory')
      },
    ))

  test.each(['null', '[1]', '{}', '"x"', '<html>login</html>', ''])('an answer like %p is a bad gateway', body =>
    behind(
      socket => socket.end(httpAnswer('200 OK', { 'content-type': body.startsWith('<') ? 'text/html' : 'application/json' }, body)),
      async ask => expect((await ask({ stream })).status).toBe(502),
    ),
  )

  test('JSON under another name is still the answer', () =>
    behind(
      socket => socket.end(httpAnswer('200 OK', { 'content-type': 'text/plain' }, JSON.stringify(whole))),
      async ask => {
        if (stream) return // as events it is not readable: what is no JSON by its name is read as a stream
        expect(await (await ask({ model: 'asked' })).json()).toMatchObject({ model: 'asked' })
      },
    ))

  test('an answer that is compressed all the same is read', () =>
    behind(
      socket => {
        const body = gzipSync(Buffer.from(stream ? hello + stop + done : JSON.stringify(whole)))
        const type = stream ? 'text/event-stream' : 'application/json'
        socket.write(httpAnswer('200 OK', { 'content-type': type, 'content-encoding': 'gzip', 'content-length': String(body.length) }, ''))
        socket.end(body)
      },
      async ask => {
        const text = await (await ask({ stream })).text()
        expect(text).toContain(stream ? 'hello' : 'hi')
      },
    ))
})

describe('after [DONE]', () => {
  test.each([
    ['stays open', (socket: Socket) => socket.write(streamHead + httpChunk(hello + stop + done))],
    [
      'pings on',
      (socket: Socket) => {
        socket.write(streamHead + httpChunk(hello + stop + done))
        const timer = setInterval(() => socket.write(httpChunk(': ping\n\n')), 50)
        socket.on('close', () => clearInterval(timer))
      },
    ],
    [
      'breaks off',
      (socket: Socket) => {
        socket.write(streamHead + httpChunk(hello + stop + done))
        setTimeout(() => socket.resetAndDestroy(), 50)
      },
    ],
    ['says more', (socket: Socket) => socket.end(`${streamHead}${httpChunk(hello + stop + done)}${httpChunk(hello)}0\r\n\r\n`)],
  ])('a backend that %s does not keep its client waiting, and nothing follows', (_, answer) =>
    behind(answer, async ask => {
      const text = await (await ask({ stream: true })).text() // kept waiting, it would get an error event behind its [DONE]
      expect(text).toEndWith(done)
      expect(text.match(/\[DONE\]/g)).toHaveLength(1)
    }),
  )
})

describe('what is sent again, and what is not', () => {
  const closing = (socket: Socket) => void socket.destroy()

  test.each([
    ['a fresh connection that is closed without an answer', closing],
    ['a garbage answer', (socket: Socket) => void socket.end('hello?\r\n\r\n')],
    ['half a head', (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-ty')],
    ['a redirect', (socket: Socket) => void socket.end(httpAnswer('307 X', { location: 'http://127.0.0.1:1/' }, ''))],
  ])('%s: the backend may have done the work, so a stream is asked for once', (_, answer) =>
    behind(answer, async (ask, upstream) => {
      expect((await ask({ stream: true })).status).toBe(502)
      expect(upstream.requests()).toBe(1)
    }),
  )

  test('a target is waited for as it asked, whatever the others say', async () => {
    const first = await rawUpstream((socket, count) =>
      socket.end(
        count === 1 ? httpAnswer('503 X', {}, '') : httpAnswer('200 OK', { 'content-type': 'application/json' }, JSON.stringify(whole)),
      ),
    )
    const second = await rawUpstream(socket => socket.end(httpAnswer('429 X', { 'retry-after': '60' }, '')))
    await using house = await openHouse({
      yaml: {
        backends: {
          first: { type: 'openai-compatible', base_url: first.url },
          second: { type: 'openai-compatible', base_url: second.url },
        },
        models: [{ name: 'm', targets: [{ backend: 'first' }, { backend: 'second' }] }],
      },
    })
    const response = await fetch(`${house.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ model: 'm', messages }) })
    expect(response.status).toBe(200)
    expect([first.requests(), second.requests()]).toEqual([2, 1])
    await Promise.all([first.stop(), second.stop()])
  })

  test('usage of a passed-through stream is counted once, also after a failover', async () => {
    const usage = 'data: {"type":"response.completed","response":{"usage":{"input_tokens":10,"output_tokens":1}}}\n\n'
    const first = await rawUpstream(socket => {
      socket.write(streamHead)
      setTimeout(() => socket.destroy(), 20)
    })
    const second = await rawUpstream(socket => socket.end(`${streamHead}${httpChunk(usage)}0\r\n\r\n`))
    const spy = `
      import { definePlugin } from 'gatehouse'
      export default definePlugin({ name: 'spy', setup: (_, { log }) => ({
        handle(ctx, next) { ctx.onSettled(() => log.info({ usage: ctx.usage }, 'spied')); return next() },
      }) })`
    await using house = await openHouse({
      yaml: {
        backends: {
          first: { type: 'openai-compatible', base_url: first.url },
          second: { type: 'openai-compatible', base_url: second.url },
        },
        models: [{ name: 'm', targets: [{ backend: 'first' }, { backend: 'second' }] }],
        pipeline: ['auth', './spy.ts', 'router'],
      },
      files: { 'spy.ts': spy },
    })
    await (
      await fetch(`${house.url}/v1/responses`, { method: 'POST', body: JSON.stringify({ model: 'm', input: 'x', stream: true }) })
    ).text()
    for (let i = 0; i < 100 && !house.lines.some(({ message }) => message === 'spied'); i++) await Bun.sleep(5)
    expect(house.lines.find(({ message }) => message === 'spied')).toMatchObject({ usage: { promptTokens: 10, completionTokens: 1 } })
    await Promise.all([first.stop(), second.stop()])
  })
})

test('a sound that is cut off does not look whole', () =>
  behind(
    socket => {
      socket.write(httpAnswer('200 OK', { 'content-type': 'audio/mpeg', 'content-length': '5000' }, 'x'.repeat(1000)))
      setTimeout(() => socket.destroy(), 30)
    },
    async ask => {
      const response = await ask({ input: 'x', voice: 'y' }, '/v1/audio/speech')
      expect(response.status).toBe(200)
      expect(await response.bytes().catch(() => 'broken off')).toBe('broken off')
    },
  ))

test("an error in the middle of Anthropic's stream is an event under its name", () =>
  behind(
    socket => {
      socket.write(streamHead + httpChunk('event: message_start\ndata: {"type":"message_start","message":{"model":"m"}}\n\n'))
      setTimeout(() => socket.destroy(), 30)
    },
    async ask => {
      const text = await (await ask({ stream: true, max_tokens: 5 }, '/v1/messages')).text()
      const last = text.trimEnd().split('\n\n').at(-1) as string
      expect(last).toStartWith('event: error\ndata: ')
      expect(JSON.parse(last.slice(last.indexOf('{')))).toMatchObject({ type: 'error', error: { type: 'server_error' } })
    },
  ))

test('an event without end is a bad gateway, and its backend is left', async () => {
  let closed = 0
  await behind(
    socket => {
      socket.write(streamHead)
      const block = httpChunk(`data: ${'x'.repeat(1024 * 1024)}`)
      const more = () => {
        while (!socket.destroyed && socket.write(block));
      }
      socket.on('drain', more)
      socket.on('close', () => closed++)
      more()
    },
    async ask => {
      expect((await ask({ stream: true, max_tokens: 5 }, '/v1/messages')).status).toBe(502)
      for (let i = 0; i < 400 && closed === 0; i++) await Bun.sleep(5)
      expect(closed).toBe(1)
    },
    { timeouts: {} },
  )
}, 30_000)

test('a client that pauses is not a backend that is silent', async () => {
  await behind(
    socket => {
      socket.write(streamHead)
      const block = httpChunk(event({ content: 'x'.repeat(16_000) }))
      let sent = 0
      const more = () => {
        while (sent < 2000 && socket.write(block)) sent++
        if (sent >= 2000 && !socket.writableEnded) socket.end(`${httpChunk(stop + done)}0\r\n\r\n`)
      }
      socket.write(httpChunk(hello))
      socket.on('drain', more)
      more()
    },
    async ask => {
      const response = await ask({ stream: true })
      await Bun.sleep(1500) // longer than `idle`; the buffers on the way are long full
      expect(await response.text()).toEndWith(done)
    },
    { timeouts: { idle: '500ms' } },
  )
}, 30_000)

test('an error whose body never ends is cut short', () =>
  behind(
    socket => {
      socket.write('HTTP/1.1 500 X\r\n\r\n')
      const timer = setInterval(() => socket.write('x'.repeat(64 * 1024)), 1)
      socket.on('close', () => clearInterval(timer))
    },
    async ask => expect((await ask()).status).toBe(502),
  ))

test('a backend that accepts and says nothing does not hold up the models of the others', async () => {
  const hung = await rawUpstream(() => {})
  const well = await rawUpstream(socket =>
    socket.end(httpAnswer('200 OK', { 'content-type': 'application/json' }, JSON.stringify({ ...whole, data: [{ id: 'm' }] }))),
  )
  await using house = await openHouse({
    yaml: {
      backends: { hung: { type: 'openai-compatible', base_url: hung.url }, well: { type: 'openai-compatible', base_url: well.url } },
      health_check_timeout: '5s',
    },
  })
  const ask = (model: string) => fetch(`${house.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ model, messages }) })
  const from = performance.now()
  expect((await ask('m')).status).toBe(200)
  expect(performance.now() - from).toBeLessThan(4000)
  expect((await ask('nobody')).status).toBe(404) // this one had to wait for the last word
  const again = performance.now()
  await Bun.sleep(1100)
  expect((await ask('nobody')).status).toBe(404) // and this one need not: it did not answer last time
  expect(performance.now() - again).toBeLessThan(4000)
  await Promise.all([hung.stop(), well.stop()])
})

test('numbers keep their digits when a body is rewritten', async () => {
  let body = ''
  const upstream = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      body = await request.text()
      return Response.json(whole)
    },
  })
  await using house = await openHouse({
    yaml: {
      backends: { up: { type: 'openai-compatible', base_url: upstream.url.origin } },
      models: [{ name: 'a', targets: [{ backend: 'up', model: 'm' }] }],
    },
  })
  await fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    body: '{"model":"a","messages":[{"role":"user","content":"9007199254740993"}],"metadata":{"id":9007199254740993,"far":[-12345678901234567890]}}',
  })
  expect(body).toBe(
    '{"model":"m","messages":[{"role":"user","content":"9007199254740993"}],"metadata":{"id":9007199254740993,"far":[-12345678901234567890]}}',
  )
  await upstream.stop(true)
})
