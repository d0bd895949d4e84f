import { expect, test } from 'bun:test'
import { everySplit } from '../testing/split-bytes.ts'
import { createRenamer, renameAnswer } from './rename.ts'

const encode = (text: string) => new TextEncoder().encode(text)
const through = (chunks: readonly Uint8Array[]) => {
  const renamer = createRenamer('asked')
  return Buffer.concat([...chunks.map(chunk => renamer.feed(chunk)), renamer.end()]).toString()
}

const anthropic = 'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"qwen"}}\n\n'
const delta = 'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"the \\"model\\": 世界"}}\n\n'
const responses = 'data: {"type":"response.created","response":{"model":"qwen","id":"r"}}\n\n'

test('the name is replaced where the dialects have it, and nothing else is touched', () => {
  expect(through([encode(anthropic + delta + responses)])).toBe(
    anthropic.replace('qwen', 'asked') + delta + responses.replace('qwen', 'asked'),
  )
})

test('a stream that carries the name already passes as its very bytes', () => {
  const clean = `: hi\r\n\r\n${anthropic.replace('qwen', 'asked').replaceAll('\n', '\r\n')}${delta}`
  expect(through([encode(clean)])).toBe(clean)
})

test('however the stream is cut', () => {
  const whole = through([encode(anthropic + delta + responses)])
  for (const pieces of everySplit(encode(anthropic + delta + responses))) expect(through(pieces)).toBe(whole)
})

test('a whole answer', () => {
  expect(renameAnswer({ model: 'qwen', a: 1 }, 'asked')).toEqual({ model: 'asked', a: 1 })
  expect(renameAnswer({ model: 'asked' }, 'asked')).toBeUndefined()
  expect(renameAnswer([1], 'asked')).toBeUndefined()
})
