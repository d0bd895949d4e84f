import { describe, expect, test } from 'bun:test'
import { createServer, type Server } from 'node:net'
import pino from 'pino'
import { fakeLmStudio, freePort, jsonServer } from './discover/testing.ts'
import { createDiscovery, type DiscoveryOptions, type Place } from './discover.ts'
import { fakeLlamaServer } from './testing/fake-llama-server.ts'
import { fakeOllama } from './testing/fake-ollama.ts'
import { fakeVllm } from './testing/fake-vllm.ts'
import { openHouse } from './testing/open-house.ts'
import { listenOnFreePort } from './testing/server/free-port.ts'

/** A discovery whose log and changes are kept. */
function open(places: readonly Place[], options: Partial<DiscoveryOptions> = {}) {
  const lines: Record<string, unknown>[] = []
  const changes: unknown[] = []
  const log = pino({ level: 'debug', base: null, messageKey: 'message' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const discovery = createDiscovery({ places, everyMs: 10, log, onChange: found => changes.push(Object.keys(found)), ...options })
  return { discovery, lines, changes, [Symbol.dispose]: discovery.close }
}

const until = async (check: () => boolean, what: string) => {
  for (let i = 0; i < 1_000 && !check(); i++) await Bun.sleep(5)
  if (!check()) throw new Error(`never came: ${what}`)
}
const common = { headers: {}, timeouts: {} }

describe('a look', () => {
  test('finds what is there, names it by what it is, and says where', async () => {
    const [ollama, llama, vllm, studio] = await Promise.all([
      fakeOllama({ models: ['a', 'b', 'c'] }),
      fakeLlamaServer(),
      fakeVllm(),
      fakeLmStudio(),
    ])
    using watching = open([
      { port: ollama.port, product: 'Ollama' },
      { port: llama.port, product: 'llama-server' },
      { port: vllm.port, product: 'vLLM' },
      { port: studio.port, product: 'LM Studio' },
    ])
    const found = await watching.discovery.look()
    expect(found).toEqual({
      ollama: { type: 'ollama', base_url: ollama.url, ...common },
      llamacpp: { type: 'llamacpp', base_url: llama.url, ...common },
      vllm: { type: 'vllm', base_url: vllm.url, ...common },
      'lm-studio': { type: 'openai-compatible', base_url: studio.url, ...common },
    })
    expect(Object.keys(found)[0]).toBe('ollama')
    expect(watching.discovery.found).toBe(found)
    const line = watching.lines.find(({ backend }) => backend === 'ollama')
    expect(line).toMatchObject({ level: 30, url: ollama.url, version: '0.33.0', models: 3, message: 'Found Ollama on this machine' })
    await Promise.all([ollama, llama, vllm, studio].map(server => server.stop()))
  })

  test('takes a server at the port of another one for what it is', async () => {
    const [vllm, llama, other] = await Promise.all([
      fakeVllm(),
      fakeLlamaServer(),
      jsonServer({ '/v1/models': { object: 'list', data: [{ id: 'm', object: 'model' }] } }),
    ])
    using watching = open([
      { port: vllm.port, product: 'llama-server' },
      { port: llama.port, product: 'vLLM' },
      { port: other.port, product: 'LM Studio' },
    ])
    const found = Object.entries(await watching.discovery.look()).map(([name, { type }]) => [name, type])
    expect(found).toEqual([
      [`vllm-${vllm.port}`, 'vllm'],
      [`llamacpp-${llama.port}`, 'llamacpp'],
      [`local-${other.port}`, 'openai-compatible'],
    ])
    await Promise.all([vllm, llama, other].map(server => server.stop()))
  })

  test('finds a server that listens on ::1 only, and prefers 127.0.0.1', async () => {
    const port = await freePort()
    const list = () => Response.json({ object: 'list', data: [{ id: 'm', object: 'model' }] })
    const six = Bun.serve({ port, hostname: '::1', fetch: list })
    const places: Place[] = [{ port, product: 'LM Studio' }]
    using only = open(places)
    expect(Object.values(await only.discovery.look())).toMatchObject([{ base_url: `http://[::1]:${port}` }])
    const four = Bun.serve({ port, hostname: '127.0.0.1', fetch: list })
    using both = open(places)
    expect(Object.values(await both.discovery.look())).toMatchObject([{ base_url: `http://127.0.0.1:${port}` }])
    await Promise.all([six.stop(true), four.stop(true)])
  })

  test('never takes one of us for a backend', async () => {
    await using house = await openHouse({ yaml: { backends: { demo: { type: 'echo' } } } })
    using watching = open([{ port: Number(new URL(house.url).port), product: 'llama-server' }])
    expect(await watching.discovery.look()).toEqual({})
    expect(watching.lines).toEqual([])
  })

  test('ignores other programs', async () => {
    const shop = await jsonServer({ '/': '<!doctype html>' }, [200, '<!doctype html>'])
    using watching = open([{ port: shop.port, product: 'llama-server' }])
    expect(await watching.discovery.look()).toEqual({})
    expect(watching.lines).toEqual([])
    await shop.stop()
  })

  test('waits for nobody longer than three quarters of a second', async () => {
    const server: Server = createServer(socket => socket.on('error', () => {}))
    const port = await listenOnFreePort(server)
    const ollama = await fakeOllama()
    using watching = open([
      { port, product: 'vLLM' },
      { port: ollama.port, product: 'Ollama' },
    ])
    const before = performance.now()
    expect(Object.keys(await watching.discovery.look())).toEqual(['ollama'])
    expect(performance.now() - before).toBeLessThan(1_500) // 750, and a busy machine
    server.close()
    await ollama.stop()
  })

  test('at the same time as another one is the same', async () => {
    const ollama = await fakeOllama()
    using watching = open([{ port: ollama.port, product: 'Ollama' }])
    const [one, two] = await Promise.all([watching.discovery.look(), watching.discovery.look()])
    expect(one).toBe(two)
    expect(ollama.requests.filter(({ path }) => path === '/')).toHaveLength(1)
    await ollama.stop()
  })
})

describe('looking on', () => {
  test('tells of a server that comes later, once', async () => {
    const [first, second] = [await freePort(), await freePort()]
    using watching = open([
      { port: first, product: 'Ollama' },
      { port: second, product: 'vLLM' },
    ])
    expect(await watching.discovery.look()).toEqual({})
    watching.discovery.start()
    const vllm = await fakeVllm({ port: second })
    await until(() => watching.changes.length > 0, 'the first change')
    const ollama = await fakeOllama({ port: first })
    await until(() => watching.changes.length > 1, 'the second change')
    // in the order of finding, so that what came later never becomes the default
    expect(watching.changes).toEqual([['vllm'], ['vllm', 'ollama']])
    expect(watching.lines.map(({ message }) => message)).toEqual(['Found vLLM on this machine', 'Found Ollama on this machine'])
    await Promise.all([vllm.stop(), ollama.stop()])
  })

  test('keeps what has gone away, and says nothing when nothing changes', async () => {
    const ollama = await fakeOllama()
    const idle = await freePort()
    using watching = open([
      { port: ollama.port, product: 'Ollama' },
      { port: idle, product: 'vLLM' },
    ])
    await watching.discovery.look()
    const asked = ollama.requests.length
    watching.discovery.start()
    await ollama.stop()
    for (let i = 0; i < 10; i++) await watching.discovery.look()
    expect(Object.keys(watching.discovery.found)).toEqual(['ollama'])
    expect(ollama.requests).toHaveLength(asked)
    expect(watching.lines).toHaveLength(1)
    expect(watching.changes).toEqual([])
  })

  test('waits for a server that still loads its model', async () => {
    const llama = await fakeLlamaServer({ loadingMs: 200 })
    using watching = open([{ port: llama.port, product: 'llama-server' }])
    expect(await watching.discovery.look()).toEqual({})
    watching.discovery.start()
    await until(() => watching.changes.length > 0, 'the model')
    expect(watching.changes).toEqual([['llamacpp']])
    expect(watching.lines).toHaveLength(1)
    await llama.stop()
  })

  test('says once that a server wants a key', async () => {
    const vllm = await fakeVllm({ apiKey: 'sk-fake' })
    using watching = open([{ port: vllm.port, product: 'vLLM' }])
    for (let i = 0; i < 5; i++) await watching.discovery.look()
    expect(watching.discovery.found).toEqual({})
    expect(watching.lines).toMatchObject([
      { level: 30, url: vllm.url, message: expect.stringContaining('vLLM on this machine wants a key') },
    ])
    await vllm.stop()
  })

  test('asks a program that is no model server less and less', async () => {
    const shop = await jsonServer({})
    using watching = open([{ port: shop.port, product: 'llama-server' }])
    for (let i = 0; i < 60; i++) await watching.discovery.look()
    expect(shop.requests.length).toBeGreaterThan(4)
    expect(shop.requests.length).toBeLessThan(20)
    await shop.stop()
  })

  test('ends with close, and goes on with start', async () => {
    const port = await freePort()
    using watching = open([{ port, product: 'Ollama' }])
    watching.discovery.start()
    watching.discovery.close()
    const ollama = await fakeOllama({ port })
    await Bun.sleep(100)
    expect(ollama.requests).toEqual([])
    watching.discovery.start()
    watching.discovery.start()
    await until(() => watching.changes.length > 0, 'the change')
    expect(watching.changes).toEqual([['ollama']])
    await ollama.stop()
  })
})
