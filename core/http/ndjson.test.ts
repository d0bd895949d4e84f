import { expect, test } from 'bun:test'
import { everySplit, splitInto } from '../testing/split-bytes.ts'
import { createNdjsonReader } from './ndjson.ts'

const encoder = new TextEncoder()

function read(chunks: Uint8Array[]): string[] {
  const reader = createNdjsonReader()
  return [...chunks.flatMap(chunk => reader.feed(chunk)), ...reader.end()]
}
const readText = (text: string) => read([encoder.encode(text)])

test('lines, without the empty ones and without their ends', () => {
  expect(readText('{"a":1}\n\n{"b":2}\r\n \r\n{"c":3}')).toEqual(['{"a":1}', '{"b":2}', '{"c":3}'])
})

test('a line is delivered as soon as it has ended', () => {
  const reader = createNdjsonReader()
  expect(reader.feed(encoder.encode('{"a":1}\n{"b"'))).toEqual(['{"a":1}'])
  expect(reader.feed(encoder.encode(':2}\n'))).toEqual(['{"b":2}'])
  expect(reader.end()).toEqual([])
})

test('lines dressed as an event stream', () => {
  const text = ': ping\r\nevent: message\r\nid: 7\r\nretry: 100\r\ndata: {"a":1}\r\n\r\ndata:{"b":2}\n\ndata: [DONE]\n\n'
  expect(readText(text)).toEqual(['{"a":1}', '{"b":2}'])
})

test('a byte order mark is not part of the first line', () => {
  expect(readText('\uFEFF{"a":1}\n')).toEqual(['{"a":1}'])
})

test('the cuts do not matter', () => {
  const text = '{"a":"é世🙂"}\r\n\n: c\ndata: {"b":"日本"}\r\n\r\n{"c":"🙂🙂"}\n{"last":"é"}'
  const lines = ['{"a":"é世🙂"}', '{"b":"日本"}', '{"c":"🙂🙂"}', '{"last":"é"}']
  for (const chunks of everySplit(encoder.encode(text))) expect(read(chunks)).toEqual(lines)
})

test('a line of 1 MB comes out whole, however small the pieces, in linear time', () => {
  const long = JSON.stringify('é'.repeat(1 << 19))
  const bytes = encoder.encode(`{"a":1}\n${long}\r\n{"b":2}`)
  for (const size of [1, 16, 4093, bytes.length]) {
    const startedAt = performance.now()
    expect(Bun.deepEquals(read(splitInto(bytes, size)), ['{"a":1}', long, '{"b":2}'])).toBe(true)
    expect(performance.now() - startedAt).toBeLessThan(15_000) // quadratic would be minutes
  }
}, 60_000)

test('a line over the cap is a 502', () => {
  const reader = createNdjsonReader({ maxLineBytes: 10 })
  expect(reader.feed(encoder.encode('{"a":1}\n{"b"'))).toEqual(['{"a":1}'])
  expect(() => reader.feed(encoder.encode(': 12345}'))).toThrow(expect.objectContaining({ status: 502 }))
})
