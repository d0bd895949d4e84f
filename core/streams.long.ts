/** Long proofs of streams: run by `npm run test:long`. */
import { expect, test } from 'bun:test'
import { createServer } from 'node:http'
import { fakeOllama } from './testing/fake-ollama.ts'
import { fakeVllm } from './testing/fake-vllm.ts'
import { startGatehouse } from './testing/gatehouse-process.ts'
import { openStream, plateau, residentBytes } from './testing/raw-client.ts'
import { listenOnFreePort } from './testing/server/free-port.ts'

const messages = [{ role: 'user', content: 'x' }]
const config = (type: string, url: string) => ({
  'gatehouse.yaml': JSON.stringify({ backends: { up: { type, base_url: url } }, rate_limit_rps: 1_000_000 }),
})

test('a model that is silent for 70 s and then answers works, stream and not', async () => {
  const [vllm, ollama] = await Promise.all([fakeVllm(), fakeOllama()])
  await using first = await startGatehouse({ files: config('vllm', vllm.url) })
  await using second = await startGatehouse({ files: config('ollama', ollama.url) })
  const ask = (url: string, stream: boolean) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'silent:70000', stream, messages }),
      timeout: false,
    } as RequestInit)
  await Promise.all(
    [first.url, second.url].flatMap(url => [
      (async () => {
        const text = await (await ask(url, true)).text()
        expect(text.split(': keep-alive\n\n').length).toBeGreaterThanOrEqual(6)
        expect(text).toEndWith('data: [DONE]\n\n')
      })(),
      (async () => {
        const response = await ask(url, false)
        expect(response.status).toBe(200)
        expect(await response.json()).toMatchObject({ choices: [{ finish_reason: 'stop' }] })
      })(),
    ]),
  )
  await Promise.all([vllm.stop(), ollama.stop()])
})

test('200 clients that do not read: the upstream is held back, and memory stays', async () => {
  const upstream = await steadyUpstream({ eventBytes: 1024, everyMs: 5 }) // 200 kB/s each, an order above the fastest model
  await using gatehouse = await startGatehouse({ files: config('openai-compatible', upstream.url) })
  const warm = await fetch(`${gatehouse.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'm', stream: true, messages }),
  })
  await (warm.body as ReadableStream<Uint8Array>).getReader().read()
  const before = await residentBytes(gatehouse.pid)
  const clients = await Promise.all(Array.from({ length: 200 }, () => openStream(gatehouse.url, { model: 'm', stream: true, messages })))
  const held = await plateau(upstream.sent, 3_000, 300_000)
  const grown = (await residentBytes(gatehouse.pid)) - before
  console.log(`held back after ${(held / 200 / 1e6).toFixed(2)} MB per stream; RSS grew by ${(grown / 1e6).toFixed(1)} MB`)
  expect(grown).toBeLessThan(60e6)
  for (const { socket } of clients) socket.destroy()
  await upstream.stop()
})

/** Sends an event of a fixed size at a fixed pace, as long as the socket takes it. */
async function steadyUpstream({ eventBytes, everyMs }: { eventBytes: number; everyMs: number }) {
  let sent = 0
  const head = '{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"'
  const tail = '"},"finish_reason":null}]}\n\n'
  const event = `data: ${head}${'x'.repeat(eventBytes - head.length - tail.length - 6)}${tail}`
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    let open = true
    response.on('drain', () => {
      open = true
    })
    const timer = setInterval(() => {
      if (!open) return
      open = response.write(event)
      sent += event.length
    }, everyMs)
    response.on('close', () => clearInterval(timer))
  })
  const port = await listenOnFreePort(server, undefined)
  return {
    url: `http://127.0.0.1:${port}`,
    sent: () => sent,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
