import { afterAll, beforeAll, expect, test } from 'bun:test'
import { slips } from './testing/behaviour/slips.ts'
import { fakeOllama } from './testing/fake-ollama.ts'
import { fakeOpenai } from './testing/fake-openai.ts'
import type { FakeServer } from './testing/fake-server.ts'
import { fakeVllm } from './testing/fake-vllm.ts'
import { openHouse } from './testing/open-house.ts'
import { openStream, plateau } from './testing/raw-client.ts'

const messages = [{ role: 'user', content: 'x' }]
let openai: FakeServer
let vllm: FakeServer
let ollama: FakeServer

beforeAll(async () => {
  ;[openai, vllm, ollama] = await Promise.all([fakeOpenai(), fakeVllm(), fakeOllama()])
})
afterAll(async () => {
  await Promise.all([openai, vllm, ollama].map(fake => fake.stop()))
})

const stream = async (url: string, body: object) =>
  (await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ stream: true, messages, ...body }) })).text()
const chunksOf = (text: string) =>
  text
    .split(/\r?\n/)
    .filter(line => line.startsWith('data: {'))
    .map(line => JSON.parse(line.slice('data: '.length)))
const contentOf = (text: string) =>
  chunksOf(text)
    .map(({ choices }) => choices[0]?.delta.content ?? '')
    .join('')

test('a stream that needs no repair arrives as the very bytes the backend sent', async () => {
  await using house = await openHouse({ yaml: { backends: { up: { type: 'vllm', base_url: vllm.url } } } })
  const body = { model: 'unicode', stream_options: { include_usage: true } }
  const direct = await stream(vllm.url, body)
  const through = await stream(house.url, body)
  const withoutIds = (text: string) => text.replaceAll(/chatcmpl-[\w-]+/g, 'ID').replaceAll(/"created":\d+/g, '"created":0')
  expect(withoutIds(through)).toBe(withoutIds(direct))
})

test('characters that are cut in half on the wire arrive whole, from every kind of backend', async () => {
  for (const [type, fake] of [
    ['openai', openai],
    ['vllm', vllm],
    ['ollama', ollama],
  ] as const) {
    await using house = await openHouse({ yaml: { backends: { up: { type, base_url: fake.url } } } })
    expect(contentOf(await stream(house.url, { model: 'unicode' }))).toBe('héllo 世界 🙂')
    expect(contentOf(await stream(house.url, { model: 'big' })).length).toBeGreaterThanOrEqual(1_000_000)
  }
})

test('every stream keeps the wire rules, whatever its backend does', async () => {
  await using house = await openHouse({ yaml: { backends: { up: { type: 'vllm', base_url: vllm.url } } } })
  const tools = [
    { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } } },
  ]
  for (const model of Object.keys(slips)) {
    const needsTools = ['slip-no-index', 'slip-no-id', 'slip-stop-for-tools', 'slip-args-object'].includes(model)
    const text = await stream(house.url, { model, ...(needsTools && { tools }) })
    const chunks = chunksOf(text)
    expect(text.endsWith('data: [DONE]\n\n') || text.endsWith('data: [DONE]\r\n\r\n')).toBe(true)
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
    expect(chunks.filter(({ choices }) => choices[0]?.delta.role).length).toBe(1)
    expect(chunks.filter(({ choices }) => choices[0]?.finish_reason).length).toBe(1)
    expect(chunks.some(({ usage }) => usage)).toBe(false)
    expect(chunks.every(chunk => chunk.model === model)).toBe(true)
    if (!needsTools) continue
    const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])
    expect(calls.length).toBeGreaterThan(0)
    expect(calls.every(({ index }) => Number.isInteger(index))).toBe(true)
    expect(calls.find(({ index }) => index === 0)?.id).toBeString()
    expect(chunks.find(({ choices }) => choices[0]?.finish_reason)?.choices[0].finish_reason).toBe('tool_calls')
    const args = calls
      .filter(({ index }) => index === 0)
      .map(call => call.function?.arguments ?? '')
      .join('')
    expect(JSON.parse(args)).toBeObject()
  }
})

test('usage comes only when it was asked for, as the last chunk', async () => {
  for (const [type, fake] of [
    ['openai', openai],
    ['vllm', vllm],
    ['ollama', ollama],
  ] as const) {
    await using house = await openHouse({ yaml: { backends: { up: { type, base_url: fake.url } } } })
    expect(chunksOf(await stream(house.url, { model: 'echo' })).some(({ usage }) => usage)).toBe(false)
    const chunks = chunksOf(await stream(house.url, { model: 'echo', stream_options: { include_usage: true } }))
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 } })
  }
})

test('a client that does not read holds back the upstream', async () => {
  for (const [type, fake] of [
    ['openai', openai],
    ['ollama', ollama],
  ] as const) {
    await using house = await openHouse({ yaml: { backends: { up: { type, base_url: fake.url } } } })
    fake.clear()
    const client = await openStream(house.url, { model: 'endless', stream: true, messages })
    await fake.until(() => (fake.streams[0]?.eventsSent ?? 0) > 10, 'the stream to flow')
    const sent = () => fake.streams[0]?.bytesSent ?? 0
    const held = await plateau(sent, 500)
    expect(held).toBeLessThan(64 * 1024 * 1024) // what the kernel's buffers on the way hold
    client.socket.resume()
    const before = client.read()
    while (client.read() < before + held || sent() <= held) await Bun.sleep(10) // it flows again
    client.socket.destroy()
    await fake.until(() => fake.streams[0]?.ended === 'client-left', 'the close')
  }
})

test('fifty streams at once lose and mix nothing', async () => {
  await using house = await openHouse({ yaml: { backends: { up: { type: 'vllm', base_url: vllm.url } } } })
  const texts = await Promise.all(Array.from({ length: 50 }, () => stream(house.url, { model: 'burst:20:5' })))
  const [first] = texts
  for (const text of texts) {
    expect(contentOf(text)).toBe(contentOf(first as string))
    expect(text).toEndWith('data: [DONE]\n\n')
  }
})
