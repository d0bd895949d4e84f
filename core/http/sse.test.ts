import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../testing/random.ts'
import { everySplit, splitInto } from '../testing/split-bytes.ts'
import { createSseReader, type SseEvent } from './sse.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function read(chunks: Uint8Array[]): SseEvent[] {
  const reader = createSseReader()
  return [...chunks.flatMap(chunk => reader.feed(chunk)), ...reader.end()]
}
const readText = (text: string) => read([encoder.encode(text)])
const show = (events: SseEvent[]) => events.map(({ raw, data, event }) => ({ raw: decoder.decode(raw), data, event }))
const dataOf = (events: SseEvent[]) => events.filter(({ data }) => data !== undefined).map(({ data, event }) => ({ data, event }))

/** The standard, over a whole text at once; a last event without its blank line counts. */
function reference(text: string) {
  const events: { data: string | undefined; event: string | undefined }[] = []
  let data: string[] = []
  let event: string | undefined
  for (const line of [...text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/), '']) {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) as RegExpExecArray
    if (line === '') {
      if (data.length > 0) events.push({ data: data.join('\n'), event })
      data = []
      event = undefined
    } else if (name === 'data') data.push(value)
    else if (name === 'event') event = value || undefined
  }
  return events
}

describe('what an event is', () => {
  test('data with and without the space, several lines, no colon, a second space', () => {
    expect(dataOf(readText('data: a\n\ndata:b\n\ndata: c\ndata\ndata:  d\n\n'))).toEqual([
      { data: 'a', event: undefined },
      { data: 'b', event: undefined },
      { data: 'c\n\n d', event: undefined },
    ])
  })

  test('the event name; an empty one is none', () => {
    expect(dataOf(readText('event: error\ndata: a\n\nevent:\ndata: b\n\n'))).toEqual([
      { data: 'a', event: 'error' },
      { data: 'b', event: undefined },
    ])
  })

  test('comments, other fields and lone blank lines are blocks without data', () => {
    expect(show(readText(': ping\n\n\nretry: 3\nid: 1\n\n'))).toEqual([
      { raw: ': ping\n\n', data: undefined, event: undefined },
      { raw: '\n', data: undefined, event: undefined },
      { raw: 'retry: 3\nid: 1\n\n', data: undefined, event: undefined },
    ])
  })

  test('LF, CR and CRLF end a line, also mixed', () => {
    expect(show(readText('data: a\r\n\r\ndata: b\r\rdata: c\r\n\ndata: d\n\r\n')).map(event => event.raw)).toEqual([
      'data: a\r\n\r\n',
      'data: b\r\r',
      'data: c\r\n\n',
      'data: d\n\r\n',
    ])
  })

  test('a byte order mark is dropped at the start and content elsewhere', () => {
    expect(show(readText('\uFEFFdata: a\n\ndata: \uFEFFb\n\n'))).toEqual([
      { raw: 'data: a\n\n', data: 'a', event: undefined },
      { raw: 'data: \uFEFFb\n\n', data: '\uFEFFb', event: undefined },
    ])
  })
})

describe('a last event that was not ended is completed', () => {
  const endings = { 'data: a': '\n\n', 'data: a\n': '\n', 'data: a\r\n': '\n', 'data: a\r': '\n\n', 'data: a\r\r': '', 'data: a\r\n\r': '' }
  for (const [text, owed] of Object.entries(endings)) {
    test(JSON.stringify(text), () => {
      const events = readText(text)
      expect(show(events)).toEqual([{ raw: text + owed, data: 'a', event: undefined }])
      expect(show(readText(`${text}${owed}data: b\n\n`)).map(event => event.data)).toEqual(['a', 'b'])
    })
  }

  test('nothing pending, nothing delivered', () => {
    expect(readText('')).toEqual([])
    expect(readText('data: a\n\n')).toHaveLength(1)
  })
})

describe('the cuts do not matter', () => {
  const streams = {
    LF: 'data: {"a":"é世🙂"}\n\n: comment\n\ndata: two\ndata: lines\n\nevent: x\ndata: [DONE]\n\n',
    CRLF: '\uFEFFdata: {"a":"é世🙂"}\r\n\r\n: comment\r\n\r\ndata: two\r\ndata: lines\r\n\r\ndata: [DONE]\r\n\r\n',
    CR: 'data: {"a":"é世🙂"}\r\r: comment\r\rdata: two\rdata: lines\r\rdata: [DONE]\r\r',
    'no last newline': 'data: {"a":"é"}\r\n\r\n\r\n\n\rdata: 🙂',
  }
  for (const [name, text] of Object.entries(streams)) {
    test(name, () => expectSameForEverySplit(text))
  }

  test('random streams of every kind of line and end', () => {
    const random = seededRandom(7)
    const parts = [
      'data: ',
      'data:',
      'data',
      ': c',
      'event: x',
      'id',
      ':',
      ' ',
      'é',
      '🙂',
      '\uFEFF',
      'x',
      '\n',
      '\n',
      '\r',
      '\r\n',
      '\r\n',
      '\n\n',
      '\r\n\r\n',
    ]
    for (let round = 0; round < 150; round++) {
      const text = Array.from({ length: 24 }, () => parts[Math.floor(random() * parts.length)]).join('')
      expectSameForEverySplit(text, 5)
    }
  })

  function expectSameForEverySplit(text: string, rounds?: number) {
    const bytes = encoder.encode(text)
    const whole = read([bytes])
    expect(dataOf(whole)).toEqual(reference(text))
    for (const chunks of everySplit(bytes, rounds)) {
      const events = read(chunks)
      expect(show(events)).toEqual(show(whole))
      const out = decoder.decode(Buffer.concat(events.map(event => event.raw)))
      const sent = text.replace(/^\uFEFF/, '')
      expect(out.startsWith(sent)).toBe(true)
      expect(['', '\n', '\n\n']).toContain(out.slice(sent.length))
    }
  }
})

describe('size', () => {
  const megabyte = `data: ${'é'.repeat(1 << 19)}`

  test('a line of 1 MB comes out whole, however small the pieces, in linear time', () => {
    const bytes = encoder.encode(`data: a\r\n\r\n${megabyte}\r\n\r\ndata: b\r\n\r\n`)
    const whole = show(read([bytes]))
    expect(whole.map(event => event.data?.length)).toEqual([1, 1 << 19, 1])
    for (const size of [1, 16, 4093, 65536]) {
      const startedAt = performance.now()
      const same = Bun.deepEquals(show(read(splitInto(bytes, size))), whole)
      expect(same).toBe(true)
      expect(performance.now() - startedAt).toBeLessThan(15_000) // quadratic would be minutes
    }
    for (const at of [5, 10, 11, 12, 17, 18, 700_001, bytes.length - 12, bytes.length - 2, bytes.length - 1]) {
      expect(Bun.deepEquals(show(read([bytes.slice(0, at), bytes.slice(at)])), whole)).toBe(true)
    }
  }, 60_000)

  test('whole events are views of the chunk, not copies', () => {
    const chunk = encoder.encode('data: a\n\ndata: b\n\n')
    for (const { raw } of createSseReader().feed(chunk)) expect(raw.buffer).toBe(chunk.buffer)
  })

  test('an event over the cap is a 502, pending or whole', () => {
    const error = { status: 502, message: 'The model backend sent a single event of more than 20 bytes.' }
    const whole = createSseReader({ maxEventBytes: 20 })
    expect(() => whole.feed(encoder.encode(`data: ${'x'.repeat(20)}\n\n`))).toThrow(expect.objectContaining(error))
    const pending = createSseReader({ maxEventBytes: 20 })
    pending.feed(encoder.encode('data: 1\n\ndata: 0123'))
    expect(() => pending.feed(encoder.encode('0123456789a'))).toThrow(expect.objectContaining(error))
  })
})
