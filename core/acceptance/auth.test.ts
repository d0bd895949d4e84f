import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiKey, type Gate, openGate, openPair, type Pair } from './harness.ts'
import type { ErrorBody } from './wire.ts'

setDefaultTimeout(30_000)

let pair: Pair
beforeAll(async () => {
  pair = await openPair()
})
afterAll(() => pair?.[Symbol.asyncDispose]())

type Sent = Readonly<Record<string, string>>
/** Headers that bring another key, or this one where it does not count. */
const refused = (key: string, other: string): Sent[] => [
  {},
  { 'x-api-key': other },
  { authorization: 'Bearer' },
  { authorization: `Bearer ${other}` },
  { authorization: `Basic ${key}` },
  { 'x-api-key': other, authorization: `Bearer ${key}` },
]
/** Headers that bring it where it counts. */
const accepted = (key: string): Sent[] => [
  { 'x-api-key': key },
  { 'X-API-Key': key },
  { authorization: `Bearer ${key}` },
  { authorization: `bearer ${key}` },
  { authorization: `BEARER ${key}` },
]
const models = ({ ask }: Gate, headers: Sent) => ask('/v1/models', { headers })

describe('A21 refused', () => {
  test.each(refused(apiKey, 'other'))('%j', async headers => {
    const reply = await models(pair, headers)
    expect(reply.status).toBe(401)
    const { error } = reply.json<ErrorBody>()
    expect(error).toMatchObject({ message: 'Invalid API key', type: 'invalid_request_error', code: 'invalid_api_key' })
    expect(error.request_id).toBe(reply.headers.get('x-request-id') as string)
    expect(error.request_id).not.toBe('')
  })
})

describe('A22 accepted', () => {
  test.each(accepted(apiKey))('%j', async headers => {
    expect((await models(pair, headers)).status).toBe(200)
  })
})

test('A24 blanks around the configured key do not count', async () => {
  await using padded = await openPair({ env: { API_KEY: `  ${apiKey}  ` } })
  expect((await models(padded, { 'x-api-key': apiKey })).status).toBe(200)
  expect((await models(padded, {})).status).toBe(401)
})

test('A25 without a configured key everything is open', async () => {
  await using open = await openPair({ env: { API_KEY: '' } })
  for (const headers of [{}, { authorization: 'Bearer anything' }]) {
    expect((await models(open, headers)).status).toBe(200)
    expect((await open.ask('/v1/system/info', { headers })).status).toBe(200)
    expect((await open.chat({}, headers)).status).toBe(200)
  }
})

test('A26 somebody who tries keys is slowed down', async () => {
  await using gate = await openGate({ env: { RATE_LIMIT_RPS: '5' } })
  const tried = await Promise.all(Array.from({ length: 200 }, (_, index) => models(gate, { 'x-api-key': `wrong-${index}` })))
  const statuses = tried.map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([401, 429]))
  expect(statuses.filter(status => status === 401).length).toBeLessThan(100)
})

test('A27 no key and nothing tried as one is in the logs', async () => {
  const [key, other] = ['fake-key-of-a27', 'fake-guess-of-a27']
  await using pair = await openPair({ env: { API_KEY: `  ${key}  `, LOG_FILE: 'x.log', DEBUG: 'true' } })
  for (const headers of refused(key, other)) expect((await models(pair, headers)).status).toBe(401)
  for (const headers of accepted(key)) expect((await models(pair, headers)).status).toBe(200)
  expect((await pair.chat({ model: 'missing' }, { 'x-api-key': key })).status).toBe(404)
  expect(await pair.end()).toBe(0)
  const { stdout, stderr } = pair.gatehouse.output
  for (const written of [stdout, readFileSync(join(pair.gatehouse.folder, 'x.log'), 'utf8')]) {
    expect(written).toContain('Authentication failed')
    expect(written).not.toMatch(/fake-(key|guess)-of-a27/)
  }
  expect(stderr).not.toMatch(/fake-(key|guess)-of-a27/)
})

test('A28 the query is not in the logs', async () => {
  await using pair = await openPair({ env: { LOG_FILE: 'x.log', DEBUG: 'true' } })
  const { headers } = await pair.ask('/v1/models?api_key=SECRETQ')
  await pair.logged(headers.get('x-request-id') as string)
  expect(await pair.end()).toBe(0)
  const { stdout, stderr } = pair.gatehouse.output
  const file = readFileSync(join(pair.gatehouse.folder, 'x.log'), 'utf8')
  expect(file).toContain('/v1/models')
  expect(stdout + stderr + file).not.toContain('SECRETQ')
})
