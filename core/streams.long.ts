/** Long proofs of streams: run by `npm run test:long`. */
import { expect, test } from 'bun:test'
import { fakeOllama } from './testing/fake-ollama.ts'
import { fakeVllm } from './testing/fake-vllm.ts'
import { startGatehouse } from './testing/gatehouse-process.ts'
import { openStream, plateau, residentBytes } from './testing/raw-client.ts'

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
  const fake = await fakeVllm()
  await using gatehouse = await startGatehouse({ files: config('vllm', fake.url) })
  const warm = await openStream(gatehouse.url, { model: 'endless', stream: true, messages })
  await fake.until(() => (fake.streams[0]?.eventsSent ?? 0) > 100, 'a first stream')
  warm.socket.destroy()
  await fake.until(() => fake.streams[0]?.ended === 'client-left', 'its end')
  fake.clear()
  const before = await residentBytes(gatehouse.pid)
  const clients = await Promise.all(
    Array.from({ length: 200 }, () => openStream(gatehouse.url, { model: 'endless', stream: true, messages })),
  )
  await fake.until(() => fake.streams.length === 200, 'all streams', 30_000)
  const sent = () => fake.streams.reduce((sum, stream) => sum + stream.bytesSent, 0)
  const held = await plateau(sent, 3_000, 120_000)
  const grown = (await residentBytes(gatehouse.pid)) - before
  console.log(`held back after ${(held / 200 / 1e6).toFixed(2)} MB per stream; RSS grew by ${(grown / 1e6).toFixed(1)} MB`)
  expect(grown).toBeLessThan(60e6)
  for (const { socket } of clients) socket.destroy()
  await fake.until(() => fake.streams.every(({ ended }) => ended === 'client-left'), 'all closes', 30_000)
  await fake.stop()
})
