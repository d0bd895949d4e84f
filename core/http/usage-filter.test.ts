import { describe, expect, test } from 'bun:test'
import { everySplit } from '../testing/split-bytes.ts'
import { createUsageFilter } from './usage-filter.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const event = (json: unknown) => `data: ${JSON.stringify(json)}\n\n`
const head = { id: 'c-1', object: 'chat.completion.chunk', created: 9, model: 'm' }
const delta = (content: string, more: object = {}) => event({ ...head, choices: [{ index: 0, delta: { content } }], ...more })
const counts = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 }
const usage = event({ ...head, choices: [], usage: counts })
const done = 'data: [DONE]\n\n'

function filtered(chunks: readonly Uint8Array[]): string {
  const filter = createUsageFilter()
  return decoder.decode(Buffer.concat([...chunks.map(chunk => filter.feed(chunk)), filter.end()]))
}
const crlf = (text: string) => text.replaceAll('\n', '\r\n')
const returns = (text: string) => text.replaceAll('\n', '\r')

const streams: Record<string, readonly [given: string, left: string]> = {
  plain: [delta('Hé') + delta('🙂') + usage + done, delta('Hé') + delta('🙂') + done],
  'no usage': [delta('a') + done, delta('a') + done],
  'null in the others, as OpenAI has it': [delta('a', { usage: null }) + usage + done, delta('a', { usage: null }) + done],
  'usage beside choices stays': [delta('a', { usage: counts }) + done, delta('a', { usage: counts }) + done],
  'choices in a choice': [
    event({ ...head, choices: [{ index: 0, choices: [] }], usage: counts }) + done,
    event({ ...head, choices: [{ index: 0, choices: [] }], usage: counts }) + done,
  ],
  'no choices and no usage stays': [event({ ...head, choices: [], usage: null }) + usage, event({ ...head, choices: [], usage: null })],
  'the words in a text': [delta('{"choices":[],"usage":{}}') + usage + done, delta('{"choices":[],"usage":{}}') + done],
  'other spacing, other order': [`${delta('a')}data:{"usage" : {"a":1}, "choices" : [ ]}\n\n${done}`, delta('a') + done],
  'over several lines': [`${delta('a')}data: {"usage":{},\ndata: "choices":[]}\n\n${done}`, delta('a') + done],
  'CRLF, comments, blank lines': [
    crlf(`: ping\n\n\n${delta('a')}${usage}: ping\n\n${done}`),
    crlf(`: ping\n\n\n${delta('a')}: ping\n\n${done}`),
  ],
  CR: [returns(delta('a') + usage + delta('b') + done), returns(delta('a') + delta('b') + done)],
  'all ends at once': [`${returns(usage)}\n${delta('a')}`, delta('a')],
  'all ends at once, not usage': [`${returns(delta('a'))}\n${usage}`, `${returns(delta('a'))}\n`],
  'an error': [`${delta('a')}${event({ error: { message: '"usage"' } })}${usage}`, delta('a') + event({ error: { message: '"usage"' } })],
  'not JSON': ['data: "choices":[] "usage"\n\n', 'data: "choices":[] "usage"\n\n'],
  'a beginning at its end': [`${delta('a')}data: {"id":`, `${delta('a')}data: {"id":`],
  'usage at its end, without the blank line': [`${delta('a')}${usage.trimEnd()}`, delta('a')],
  nothing: ['', ''],
}

describe('only the usage event is taken, wherever the stream is cut', () => {
  for (const [name, [given, left]] of Object.entries(streams)) {
    test(name, () => {
      for (const chunks of everySplit(encoder.encode(given))) expect(filtered(chunks)).toBe(left)
    })
  }
})

test('an event is passed on as soon as its last byte is there', () => {
  for (const convert of [(text: string) => text, crlf, returns]) {
    const bytes = encoder.encode(convert(delta('a') + delta('b', { usage: null }) + usage + done))
    const ends = [delta('a'), delta('b', { usage: null }), usage, done].map(text => encoder.encode(convert(text)).length)
    const filter = createUsageFilter()
    let at = 0
    for (const [place, length] of ends.entries()) {
      let out = 0
      for (let i = 0; i < length; i++) {
        out += filter.feed(bytes.subarray(at, at + 1)).length
        at++
        // the line feed of the pair comes behind the event
        if (i < length - (convert === crlf ? 2 : 1)) expect(out).toBe(0)
      }
      expect(out).toBe(place === 2 ? 0 : length)
    }
  }
})

test('a chunk of whole events without usage is the very same bytes', () => {
  const filter = createUsageFilter()
  for (const text of [delta('a'), delta('a') + delta('b'), crlf(delta('c')), done]) {
    const chunk = encoder.encode(text)
    expect(filter.feed(chunk)).toBe(chunk)
  }
  expect(filter.end()).toHaveLength(0)
})
