import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../testing/random.ts'
import { everySplit } from '../testing/split-bytes.ts'
import { cutAtEvent, eachEvent } from './cut-events.ts'
import { eventEnds } from './event-ends.ts'
import { createBlockReader } from './sse-blocks.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const cut = (text: string, most: number) => cutAtEvent(encoder.encode(text), most)
const events = (text: string) => [...eachEvent(encoder.encode(text))].map(event => decoder.decode(event))

/** Texts of line ends and letters: every way in which they can meet. */
function* texts(): Generator<string> {
  const random = seededRandom(7)
  const signs = ['\n', '\r', '\r\n', 'a', 'bc', '\n\n', '\r\n\r\n', '\r\r', 'é']
  for (let round = 0; round < 3000; round++) {
    const count = Math.floor(random() * 12)
    yield Array.from({ length: count }, () => signs[Math.floor(random() * signs.length)]).join('')
  }
}

/** The ends of all events, as the reader of streams sees them. */
function endsOf(bytes: Uint8Array): number[] {
  const reader = createBlockReader(1_000_000)
  const blocks = reader.feed(bytes)
  const last = reader.end()
  const sizes = blocks.map(block => block.length)
  const rest = bytes.length - sizes.reduce((sum, size) => sum + size, 0)
  if (last && last.length === rest) sizes.push(rest) // it ended in a carriage return, and was only waiting for a line feed
  let at = 0
  return sizes.map(size => {
    at += size
    return at
  })
}

describe('cutAtEvent', () => {
  test('the largest length at which an event ends', () => {
    const text = 'data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\n'
    const ends = [9, 20, 29, 38]
    for (let most = 9; most <= 50; most++) expect(cut(text, most)).toBe(ends.findLast(end => end <= most) as number)
  })

  test('a first event that is longer comes whole', () => {
    for (const most of [-1, 0, 1, 8, 8.5]) expect(cut('data: a\n\ndata: b\n\n', most)).toBe(9)
    expect(cut('data: a\r\n\r\ndata: b\r\n\r\n', 10)).toBe(11)
  })

  test('without an end, all there is', () => {
    expect(cut('data: a\ndata: b\n', 3)).toBe(16)
    expect(cut('', 10)).toBe(0)
    expect(cut('data: a\n\ndata: b', 100)).toBe(9)
  })

  test('for all that can meet', () => {
    for (const text of texts()) {
      const bytes = encoder.encode(text)
      const ends = endsOf(bytes)
      for (let most = 0; most <= bytes.length; most++) {
        const expected = ends.findLast(end => end <= most) ?? ends[0] ?? bytes.length
        if (cutAtEvent(bytes, most) !== expected) expect([text, most, cutAtEvent(bytes, most)]).toEqual([text, most, expected])
      }
    }
  })
})

describe('eachEvent', () => {
  test('each with its blank line, and the rest', () => {
    expect(events('data: a\n\n: x\r\n\r\ndata: b\r\rdata: c')).toEqual(['data: a\n\n', ': x\r\n\r\n', 'data: b\r\r', 'data: c'])
    expect(events('')).toEqual([])
  })

  test('for all that can meet', () => {
    for (const text of texts()) {
      const bytes = encoder.encode(text)
      const ends = endsOf(bytes)
      if (ends.at(-1) !== bytes.length && bytes.length > 0) ends.push(bytes.length)
      let at = 0
      const found = [...eachEvent(bytes)].map(event => {
        at += event.length
        return at
      })
      if (!Bun.deepEquals(found, ends)) expect([text, found]).toEqual([text, ends])
    }
  })
})

test('the ends are the same wherever the stream is cut, but for a pair that is cut itself', () => {
  const bytes = encoder.encode('data: a\n\n: x\r\n\r\ndata: b\r\rdata: c\n\r\n\r\r\n\n')
  const known = endsOf(bytes)
  for (const chunks of everySplit(bytes, 300)) {
    const ends = eventEnds()
    const found: number[] = []
    let at = 0
    for (const chunk of chunks) {
      for (let end = ends.next(chunk, 0); end !== -1; end = ends.next(chunk, end)) found.push(at + end)
      at += chunk.length
    }
    const halves = found.filter(end => !known.includes(end))
    for (const end of halves) expect([bytes[end - 1], bytes[end]]).toEqual([13, 10])
    expect(found.filter(end => known.includes(end))).toEqual(known)
  }
})
