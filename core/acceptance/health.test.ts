import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { type FakeServer, startFake } from '../testing/fake-server.ts'
import { say } from './addresses.ts'
import { type Gate, nowhere, openGate, openPair, type Pair } from './harness.ts'

setDefaultTimeout(30_000)

let failing: FakeServer
let up: Pair
let down: Gate
let broken: Gate
beforeAll(async () => {
  failing = await startFake({}, async exchange => exchange.reply(500, { error: 'out of memory' }))
  ;[up, down, broken] = await Promise.all([openPair(), openGate(), openGate({ ollama: failing.url })])
})
afterAll(async () => {
  for (const each of [up, down, broken, failing]) await each?.[Symbol.asyncDispose]()
})

const nobody = { headers: {} }

test('A13 healthy, without a key', async () => {
  const { status, json } = await up.ask('/health', nobody)
  expect(status).toBe(200)
  expect(json()).toMatchObject({ status: 'healthy', ollama: 'connected', ollama_host: up.ollama.url })
})

test('A14 Ollama is not there', async () => {
  const { status, json } = await down.ask('/health', nobody)
  expect(status).toBe(503)
  expect(json()).toMatchObject({ status: 'unhealthy', error: 'Ollama unreachable', ollama_host: nowhere })
})

test('A15 Ollama answers 500', async () => {
  const { status, json } = await broken.ask('/health', nobody)
  expect(status).toBe(503)
  expect(json()).toMatchObject({ status: 'unhealthy', error: expect.stringContaining('500') })
})

test('A16 HEAD is answered without a body', async () => {
  const bytes = await say(
    '127.0.0.1',
    Number(new URL(up.url).port),
    'HEAD /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  )
  expect(bytes).toStartWith('HTTP/1.1 200 ')
  expect(bytes).toEndWith('\r\n\r\n')
  expect(bytes.split('\r\n\r\n')).toHaveLength(2)
})

test('A18 the models of Ollama', async () => {
  const { status, json } = await up.ask('/v1/models')
  expect(status).toBe(200)
  const { object, data } = json<{ object: string; data: { id: string }[] }>()
  expect(object).toBe('list')
  expect(data.map(({ id }) => id)).toEqual(['mistral:latest', 'llama3.2:3b'])
  for (const model of data) expect(model).toMatchObject({ object: 'model', owned_by: 'ollama', created: expect.any(Number) })
})

describe('A19 the models of an Ollama that', () => {
  test.each([
    ['is not there', () => down],
    ['answers 500', () => broken],
  ])('%s', async (_, gate) => {
    const { status, json } = await gate().ask('/v1/models')
    expect(status).toBe(502)
    expect(json()).toMatchObject({ error: { type: 'server_error', message: expect.any(String), request_id: expect.any(String) } })
  })
})

test('A20 one model by its name', async () => {
  const { status, json } = await up.ask('/v1/models/mistral:latest')
  expect(status).toBe(200)
  expect(json()).toMatchObject({ id: 'mistral:latest', object: 'model', owned_by: 'ollama' })
  const unknown = await up.ask('/v1/models/nobody')
  expect(unknown.status).toBe(404)
  expect(unknown.json()).toMatchObject({
    error: { type: 'invalid_request_error', code: 'model_not_found', request_id: unknown.headers.get('x-request-id') },
  })
})
