import { expect, test } from 'bun:test'
import type { GatewayError } from '../../errors.ts'
import { toEmbedRequest } from './embed-request.ts'

const translate = (fields: Record<string, unknown>) => toEmbedRequest({ model: 'gpt', input: 'a', ...fields }, 'm')

const mapped: [Record<string, unknown>, Record<string, unknown>][] = [
  [{}, { input: ['a'] }],
  [{ input: '' }, { input: [''] }],
  [{ input: ['a', 'b'] }, { input: ['a', 'b'] }],
  [{ dimensions: 3 }, { input: ['a'], dimensions: 3 }],
  [
    { truncate: false, keep_alive: '1m', options: { num_ctx: 512 } },
    { input: ['a'], truncate: false, keep_alive: '1m', options: { num_ctx: 512 } },
  ],
]

test.each(mapped)('%j is sent as %j', (fields, expected) => {
  expect(translate(fields)).toEqual({ body: { model: 'm', ...expected }, base64: false, ignored: [] })
})

test('base64, and a name that is not passed on', () => {
  expect(translate({ encoding_format: 'base64', user: 'u' })).toMatchObject({ base64: true, ignored: ['user'] })
})

const refused: [Record<string, unknown>, string, string][] = [
  [{ input: [1, 2] }, 'input', 'unsupported_parameter'],
  [{ input: [[1, 2]] }, 'input', 'unsupported_parameter'],
  [{ input: [] }, 'input', 'invalid_type'],
  [{ input: [{}] }, 'input', 'invalid_type'],
  [{ input: 5 }, 'input', 'invalid_type'],
  [{ dimensions: 'x' }, 'dimensions', 'invalid_type'],
  [{ encoding_format: 'hex' }, 'encoding_format', 'invalid_value'],
]

test.each(refused)('%j is a 400 that names %s', (fields, param, code) => {
  expect(() => translate(fields)).toThrow(expect.objectContaining({ status: 400, code, extra: { param } }) as GatewayError)
})
