import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { apiKey, openPair, type Pair } from './harness.ts'

setDefaultTimeout(30_000)

let pair: Pair
beforeAll(async () => {
  pair = await openPair()
})
afterAll(() => pair?.[Symbol.asyncDispose]())

const says = (content: string) => ({ messages: [{ role: 'user', content }] })
const marker = ({ headers }: { readonly headers: Headers }) => headers.get('x-cache')

describe('A58 the same question again', () => {
  test.each([
    ['as it is', {}],
    ['at temperature 0', { temperature: 0 }],
  ])('%s', async (name, settings) => {
    const body = { ...says(`a58 ${name}`), ...settings }
    const before = pair.chatsSeen()
    const first = await pair.chat(body)
    expect([first.status, marker(first)]).toEqual([200, 'MISS'])
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const asked = performance.now()
      const again = await pair.chat(body)
      times.push(performance.now() - asked)
      expect([again.status, marker(again), again.text]).toEqual([200, 'HIT', first.text])
    }
    expect(pair.chatsSeen()).toBe(before + 1)
    expect(Math.min(...times)).toBeLessThan(100) // one of them was not held up by the machine
  })
})

describe('A59 a question that differs in one thing is another one', () => {
  const base = { ...says('a59'), temperature: 0, seed: 1 }
  const tools = [{ type: 'function', function: { name: 'read', parameters: { type: 'object', properties: {} } } }]
  beforeAll(async () => {
    await pair.chat(base)
  })

  test.each<readonly [string, object]>([
    ['message', says('a59, differently')],
    ['model', { model: 'len' }],
    ['temperature', { temperature: 0.5 }],
    ['max_tokens', { max_tokens: 5 }],
    ['top_p', { top_p: 0.5 }],
    ['seed', { seed: 2 }],
    ['stop', { stop: ['x'] }],
    ['response_format', { response_format: { type: 'json_object' } }],
    ['tools', { tools }],
  ])('%s', async (_, change) => {
    const before = pair.chatsSeen()
    const first = await pair.chat({ ...base, ...change })
    expect([first.status, marker(first), pair.chatsSeen()]).toEqual([200, 'MISS', before + 1])
    const again = await pair.chat({ ...base, ...change })
    expect([marker(again), again.text, pair.chatsSeen()]).toEqual(['HIT', first.text, before + 1])
  })
})

describe('A61 an error is not kept', () => {
  test.each([
    ['missing', 404],
    ['boom', 502],
  ])('of the model %s', async (model, status) => {
    const body = { ...says('a61'), model }
    const first = await pair.chat(body)
    const before = pair.chatsSeen()
    const again = await pair.chat(body)
    for (const reply of [first, again]) {
      expect(reply.status).toBe(status)
      expect(marker(reply)).not.toBe('HIT')
    }
    expect(pair.chatsSeen()).toBeGreaterThan(before)
  })

  test('of an Ollama that was away', async () => {
    await using pair = await openPair()
    const body = says('a61, nobody there')
    await pair.ollama.stop()
    expect((await pair.chat(body)).status).toBe(502)
    await pair.restartOllama()
    const again = await pair.chat(body)
    expect([again.status, marker(again), pair.chatsSeen()]).toEqual([200, 'MISS', 1])
  })
})

test('A62 a client that wants a new answer gets one', async () => {
  const body = says('a62')
  const first = await pair.chat(body)
  expect(marker(await pair.chat(body))).toBe('HIT')
  const before = pair.chatsSeen()
  const fresh = await pair.chat(body, { 'x-api-key': apiKey, 'cache-control': 'no-cache' })
  expect([fresh.status, marker(fresh), pair.chatsSeen()]).toEqual([200, 'BYPASS', before + 1])
  expect(fresh.text).not.toBe(first.text)
})
