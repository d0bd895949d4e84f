import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiKey, openPair, type Pair } from './harness.ts'
import { jsonLines } from './wire.ts'

setDefaultTimeout(30_000)

let pair: Pair
beforeAll(async () => {
  pair = await openPair({ env: { DEBUG: 'true' } })
  await pair.gatehouse.until(({ stdout }) => stdout.includes('authentication'), 'the last line of the start')
})
afterAll(() => pair?.[Symbol.asyncDispose]())

const uuid4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('A29 the id of a request goes with it everywhere', () => {
  test.each([false, true])('stream: %p', async stream => {
    const id = `t-1-${stream}`
    const before = pair.lines().length
    const { status, headers } = await pair.chat({ stream }, { 'x-request-id': id })
    expect(status).toBe(200)
    expect(headers.get('x-request-id')).toBe(id)
    expect(pair.ollama.requests.findLast(({ path }) => path === '/api/chat')?.headers['x-request-id']).toBe(id)
    await pair.logged(id)
    const own = pair.lines().slice(before)
    expect(own.length).toBeGreaterThan(1)
    expect(own.filter(({ request_id }) => request_id !== id)).toEqual([])
  })
})

test('A30 a request without an id gets one', async () => {
  const good = await pair.chat()
  expect(good.headers.get('x-request-id')).toMatch(uuid4)
  const bad = await pair.chat({ model: 'missing' })
  const id = bad.headers.get('x-request-id')
  expect(id).toMatch(uuid4)
  expect(id).not.toBe(good.headers.get('x-request-id'))
  expect(bad.json()).toMatchObject({ error: { request_id: id } })
})

test('A33 LOG_FILE gets the lines of stdout, for its owner alone, over several starts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-acceptance-'))
  const file = join(folder, 'x.log')
  let written = ''
  for (const id of ['t-1', 't-2']) {
    await using pair = await openPair({ env: { LOG_FILE: file } })
    await pair.chat({}, { 'x-request-id': id })
    expect(await pair.end()).toBe(0)
    written += pair.gatehouse.output.stdout
  }
  expect(readFileSync(file, 'utf8')).toBe(written)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const ids = jsonLines(written).flatMap(({ message, request_id }) => (message === 'HTTP request' ? [request_id] : []))
  expect(ids).toEqual(['t-1', 't-2'])
  rmSync(folder, { recursive: true })
})

describe('A34 what is looked for in the cache and is not there', () => {
  test.each([true, false])('is a line of the log with DEBUG=%p', async debug => {
    await using pair = await openPair({ env: { DEBUG: String(debug) } })
    const { headers } = await pair.chat({ temperature: 0 })
    const id = headers.get('x-request-id') as string
    await pair.logged(id)
    const lines = pair.lines().filter(({ level }) => level === 'debug')
    expect(lines.some(({ message, request_id }) => message === 'Cache miss' && request_id === id)).toBe(debug)
    if (!debug) expect(lines).toEqual([])
  })
})

test('A35 the line of a request', async () => {
  await pair.ask('/nope', { headers: { 'x-api-key': apiKey, 'x-request-id': 't-35' } })
  expect(await pair.logged('t-35')).toMatchObject({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    request_id: 't-35',
    method: 'GET',
    path: '/nope',
    status: 404,
    latency: expect.any(Number),
    latency_ms: expect.any(Number),
    ip: '127.0.0.1',
  })
})

describe('A37 what is not there', () => {
  test.each([
    ['/nope', 404],
    ['/v1/chat/completions', 405],
    ['/v1/extensions', 404],
    ['/v1/extensions/x', 404],
  ])('GET %s', async (path, status) => {
    const reply = await pair.ask(path)
    expect(reply.status).toBe(status)
    expect(reply.headers.get('content-type')).toStartWith('application/json')
    expect(reply.json()).toMatchObject({
      error: { message: expect.any(String), type: expect.any(String), request_id: reply.headers.get('x-request-id') },
    })
    if (status === 405) expect(reply.headers.get('allow')).toContain('POST')
  })
})
