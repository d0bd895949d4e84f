import { describe, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { fakeLlamaServer } from '../testing/fake-llama-server.ts'
import { fakeOllama } from '../testing/fake-ollama.ts'
import { fakeOpenai } from '../testing/fake-openai.ts'
import { fakeVllm } from '../testing/fake-vllm.ts'
import { openHouse } from '../testing/open-house.ts'
import { listenOnFreePort } from '../testing/server/free-port.ts'
import { identify } from './identify.ts'
import { fakeLmStudio, freePort, jsonServer, modelList } from './testing.ts'

const patience = () => AbortSignal.timeout(3_000)

describe.each([
  ['Ollama', () => fakeOllama({ models: ['a:latest'] }), { type: 'ollama', product: 'Ollama', version: '0.33.0', models: ['a:latest'] }],
  ['Ollama without models', () => fakeOllama({ models: [] }), { type: 'ollama', product: 'Ollama', version: '0.33.0', models: [] }],
  [
    'llama-server',
    () => fakeLlamaServer({ models: ['m'] }),
    { type: 'llamacpp', product: 'llama-server', version: 'b9000-0c1e57098', models: ['m'] },
  ],
  [
    'llama-server that loads',
    () => fakeLlamaServer({ loadingMs: 60_000 }),
    { type: 'llamacpp', product: 'llama-server', refuses: 'loading' },
  ],
  [
    'llama-server that wants a key',
    () => fakeLlamaServer({ apiKey: 'sk-fake' }),
    { type: 'llamacpp', product: 'llama-server', refuses: 'key' },
  ],
  [
    'llama-server behind a server that signs as itself',
    () => jsonServer({ '/v1/models': modelList('llamacpp', 'm'), '/props': { default_generation_settings: {}, build_info: 'b1' } }),
    { type: 'llamacpp', product: 'llama-server', version: 'b1', models: ['m'] },
  ],
  ['vLLM', () => fakeVllm({ models: ['m', 'n'] }), { type: 'vllm', product: 'vLLM', version: '0.20.0', models: ['m', 'n'] }],
  ['vLLM that wants a key', () => fakeVllm({ apiKey: 'sk-fake' }), { type: 'vllm', product: 'vLLM', version: '0.20.0', refuses: 'key' }],
  [
    'LM Studio',
    () => fakeLmStudio(),
    { type: 'openai-compatible', product: 'LM Studio', models: ['qwen/qwen3-8b', 'text-embedding-nomic-embed-text-v1.5'] },
  ],
  ['LM Studio without models', () => fakeLmStudio(modelList('')), { type: 'openai-compatible', product: 'LM Studio', models: [] }],
  [
    'a server that lists models as OpenAI does',
    () => fakeOpenai({ models: ['m'] }),
    { type: 'openai-compatible', product: 'OpenAI-compatible server', models: ['m'] },
  ],
  [
    'one that leaves out who owns them',
    () => jsonServer({ '/v1/models': modelList(undefined, 'm') }),
    { type: 'openai-compatible', product: 'OpenAI-compatible server', models: ['m'] },
  ],
  [
    'one that wants a key',
    () => fakeOpenai({ apiKey: 'sk-fake' }),
    { type: 'openai-compatible', product: 'OpenAI-compatible server', refuses: 'key' },
  ],
  [
    'one that lists vLLM’s models and is not vLLM',
    () => jsonServer({ '/v1/models': modelList('vllm', 'm') }),
    { type: 'openai-compatible', product: 'OpenAI-compatible server', models: ['m'] },
  ],
  [
    'one that has a version and is not vLLM',
    () => jsonServer({ '/v1/models': modelList('sglang', 'm'), '/version': { version: '1' } }),
    { type: 'openai-compatible', product: 'OpenAI-compatible server', models: ['m'] },
  ],
  [
    'one that writes an empty list as null',
    () => jsonServer({ '/v1/models': { object: 'list', data: null } }),
    { type: 'openai-compatible', product: 'OpenAI-compatible server', models: [] },
  ],
])('%s', (_, start, identity) => {
  test('is recognised', async () => {
    const server = await start()
    expect(await identify(server.url, patience())).toEqual(identity as never)
    await server.stop()
  })
})

describe('no model server:', () => {
  test.each([
    ['a web server', () => jsonServer({ '/': '<!doctype html><title>A shop</title>' }, [200, '<!doctype html><title>A shop</title>'])],
    ['a program with an API of its own', () => jsonServer({ '/': { name: 'a shop' }, '/v1/models': { data: [{ sku: 7 }] } })],
    ['one that has models of another kind', () => jsonServer({ '/v1/models': { data: [{ id: '911', name: 'Carrera' }] } })],
    ['one that lets nobody in', () => jsonServer({}, [401, { detail: 'Not authenticated' }])],
    ['one that sends everybody elsewhere', () => jsonServer({}, [302, ''])],
    ['one that is out of order', () => jsonServer({}, [503, 'upstream connect error'])],
  ])('%s', async (_, start) => {
    const server = await start()
    expect(await identify(server.url, patience())).toBeUndefined()
    await server.stop()
  })

  test('one that does not speak HTTP', async () => {
    const server = createServer(socket => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n'))
    const port = await listenOnFreePort(server)
    expect(await identify(`http://127.0.0.1:${port}`, patience())).toBeUndefined()
    server.close()
  })

  test('nobody', async () => {
    expect(await identify(`http://127.0.0.1:${await freePort()}`, patience())).toBeUndefined()
  })
})

test('one of us says so, and lists no models', async () => {
  await using house = await openHouse({ yaml: { backends: { demo: { type: 'echo' } } } })
  expect(await identify(house.url, patience())).toEqual({ type: 'gatehouse', product: 'gatehouse', version: expect.any(String) })
})

test('one of us that is too busy to say so is not taken for anything else', async () => {
  const server = Bun.serve({
    port: await freePort(),
    hostname: '127.0.0.1',
    fetch: ({ url }) => (url.endsWith('/v1/models') ? Response.json(modelList('gatehouse', 'm')) : new Promise(() => {})),
  })
  expect(await identify(server.url.origin, AbortSignal.timeout(300))).toBeUndefined()
  await server.stop(true)
})

test('no proxy is asked for this machine', async () => {
  const proxy = await jsonServer({}, [200, modelList('proxy', 'm')])
  const server = await fakeVllm()
  const script = `
    import { identify } from '${import.meta.dir}/identify.ts'
    console.log((await identify('${server.url}', AbortSignal.timeout(3000)))?.product)`
  const child = Bun.spawn([process.execPath, '-e', script], { env: { HTTP_PROXY: proxy.url, http_proxy: proxy.url }, stdout: 'pipe' })
  expect(await child.stdout.text()).toBe('vLLM\n')
  expect(proxy.requests).toEqual([])
  await Promise.all([proxy.stop(), server.stop()])
})
