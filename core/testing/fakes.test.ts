import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { fakeLlamaServer } from './fake-llama-server.ts'
import { fakeOllama } from './fake-ollama.ts'
import { fakeOpenai } from './fake-openai.ts'
import type { FakeOptions, FakeServer } from './fake-server.ts'
import { fakeVllm } from './fake-vllm.ts'

const kinds: [string, (options?: FakeOptions) => Promise<FakeServer>, string][] = [
  ['ollama', fakeOllama, '/api/chat'],
  ['openai', fakeOpenai, '/v1/chat/completions'],
  ['vllm', fakeVllm, '/v1/chat/completions'],
  ['llama-server', fakeLlamaServer, '/v1/chat/completions'],
]

describe.each(kinds)('every fake: %s', (_name, start, path) => {
  let fake: FakeServer
  beforeAll(async () => {
    fake = await start({ chunkDelayMs: 5 })
  })
  beforeEach(() => fake.clear())
  afterAll(() => fake.stop())

  const ask = (model: string, stream: boolean, init: RequestInit = {}) =>
    fetch(fake.url + path, {
      method: 'POST',
      body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hi' }] }),
      // The fakes cut connections, and llama-server closes each behind a stream: a pooled one may be dead.
      keepalive: false,
      ...init,
    })
  const text = async (model: string, stream: boolean) => (await ask(model, stream)).text()

  test('counts its answers and records its requests', async () => {
    const first = Number(/n=(\d+)/.exec(await text('echo', false))?.[1])
    expect(await text('echo', false)).toContain(`n=${first + 1}`)
    expect(fake.requests.map(request => request.path)).toEqual([path, path])
    expect(fake.requests[0]?.json).toMatchObject({ model: 'echo', stream: false })
    expect(fake.streams[0]).toMatchObject({ model: 'echo', ended: 'complete', eventsSent: 1 })
  })

  test('holds an answer where it is told to', async () => {
    for (const model of ['hold', 'hold-first', 'hold-mid']) {
      fake.clear()
      const answer = text(model, true)
      const sent = model === 'hold-mid' ? 2 : 0
      await fake.until(() => (fake.streams[0]?.eventsSent ?? -1) >= sent, `${model} is held`)
      expect(fake.streams[0]?.ended).toBeUndefined()
      fake.release()
      expect(await answer).toContain(model === 'hold-mid' ? 'two ' : 'n=')
    }
  })

  test('sees the client leave in every phase', async () => {
    for (const model of ['hold', 'hold-first', 'hold-mid', 'slow', 'silent:60000', 'endless']) {
      fake.clear()
      const leave = new AbortController()
      const answer = ask(model, true, { signal: leave.signal }).then(response => response.text())
      const left = answer.catch(() => 'left')
      await fake.until(() => fake.streams.length === 1, `${model} begins`)
      leave.abort()
      await fake.until(() => fake.streams[0]?.ended !== undefined, `${model} ends`)
      expect([model, fake.streams[0]?.ended]).toEqual([model, 'client-left'])
      expect(await left).toBe('left')
    }
  })

  test('stops sending when nobody reads', async () => {
    const leave = new AbortController()
    const response = await ask('endless', true, { signal: leave.signal })
    await fake.until(() => (fake.streams[0]?.bytesSent ?? 0) > 1_000_000, 'a megabyte is sent')
    let before = -1
    while (before !== fake.streams[0]?.bytesSent) {
      before = fake.streams[0]?.bytesSent ?? 0
      await Bun.sleep(200)
    }
    expect(before).toBeLessThan(64_000_000)
    leave.abort()
    await response.text().catch(() => '')
  })

  test('breaks connections', async () => {
    for (const stream of [true, false]) {
      await expect(ask('reset', stream)).rejects.toThrow()
      const broken = await ask('break', stream)
      expect(broken.status).toBe(200)
      await expect(broken.text()).rejects.toThrow()
    }
    await expect(ask('reset-once', true)).rejects.toThrow()
    expect((await ask('reset-once', true)).status).toBe(200)
  })

  test('refuses, and once only where it says so', async () => {
    const statuses = async (model: string) => [(await ask(model, true)).status, (await ask(model, true)).status]
    expect(await statuses('busy')).toEqual([429, 429])
    expect(await statuses('busy-once')).toEqual([429, 200])
    expect(await statuses('down-once')).toEqual([503, 200])
    expect(await statuses('boom')).toEqual([500, 500])
    expect(await statuses('loading')).toEqual([503, 503])
    fake.clear()
    const busy = await ask('busy-once', false)
    expect(busy.headers.get('retry-after')).toBe('1')
    const redirected = await ask('redirect', true, { redirect: 'manual' })
    expect([redirected.status, redirected.headers.get('location')]).toEqual([307, `/elsewhere${path}`])
  })

  test('writes characters in pieces', async () => {
    const whole = await (await ask('unicode', false)).text()
    expect(whole).toContain('héllo 世界 🙂')
    const reader = (await ask('unicode', true)).body?.getReader()
    let cuts = 0
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      const first = read.value[0] ?? 0
      if (first >> 6 === 0b10) cuts++
    }
    expect(cuts).toBeGreaterThan(0)
  })

  test('numbers a burst and makes one big chunk', async () => {
    const burst = await text('burst:3:5', true)
    expect([burst.includes('1 '), burst.includes('3 '), burst.includes('4 ')]).toEqual([true, true, false])
    expect((await text('big', true)).length).toBeGreaterThan(1024 * 1024)
  })

  test('starts again on the same port', async () => {
    const first = await start()
    const waiting = fetch(first.url + path, { method: 'POST', body: '{"model":"hold","messages":[{"role":"user","content":"x"}]}' })
    const cut = waiting.catch(() => 'cut')
    await first.until(() => first.streams.length === 1, 'hold begins')
    await first.stop()
    expect(await cut).toBe('cut')
    expect(first.streams[0]?.ended).toBe('broken')
    const second = await start({ port: first.port })
    expect(second.url).toBe(first.url)
    await second.stop()
  })

  test('asks for its key', async () => {
    const locked = await start({ apiKey: 'sk-right' })
    const knock = (headers: Record<string, string>) =>
      fetch(locked.url + path, { method: 'POST', headers, body: '{"model":"echo","messages":[{"role":"user","content":"x"}]}' })
    expect((await knock({})).status).toBe(401)
    expect((await knock({ authorization: 'Bearer wrong' })).status).toBe(401)
    expect((await knock({ authorization: 'Bearer sk-right' })).status).toBe(200)
    await locked.stop()
  })

  test('says what it waited for in vain', async () => {
    await expect(fake.until(() => false, 'the moon', 10)).rejects.toThrow('the moon')
  })
})
