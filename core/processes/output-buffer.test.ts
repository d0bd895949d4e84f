import { expect, test } from 'bun:test'
import { createOutputBuffer } from './output-buffer.ts'

const texts = (buffer: ReturnType<typeof createOutputBuffer>, options = {}) => buffer.lines(options).map(({ text }) => text)

test('keeps lines with their time and where they came from, in order', () => {
  let now = 5
  const buffer = createOutputBuffer({}, () => now++)
  buffer.add('one', 'stdout')
  buffer.add('two', 'stderr')
  expect(buffer.lines()).toEqual([
    { id: 1, at: 5, from: 'stdout', text: 'one' },
    { id: 2, at: 6, from: 'stderr', text: 'two' },
  ])
})

test('keeps no more lines than it may', () => {
  const buffer = createOutputBuffer({ lines: 3 })
  for (let line = 1; line <= 10; line++) {
    buffer.add(String(line), 'stdout')
    expect(texts(buffer)).toEqual(Array.from({ length: Math.min(line, 3) }, (_, index) => String(line - Math.min(line, 3) + index + 1)))
  }
})

test('keeps no more bytes than it may, counted as bytes', () => {
  const buffer = createOutputBuffer({ bytes: 10 })
  for (const text of ['aaaa', 'ééé', 'bb']) buffer.add(text, 'stdout')
  expect(texts(buffer)).toEqual(['ééé', 'bb'])
  buffer.add('x'.repeat(11), 'stdout')
  expect(texts(buffer)).toEqual([])
  buffer.add('y', 'stdout')
  expect(texts(buffer)).toEqual(['y'])
})

test('usually keeps 1000 lines and 256 KiB', () => {
  const buffer = createOutputBuffer()
  for (let line = 1; line <= 2_500; line++) buffer.add(String(line), 'stdout')
  expect([texts(buffer).length, texts(buffer)[0], texts(buffer).at(-1)]).toEqual([1_000, '1501', '2500'])
  const long = createOutputBuffer()
  for (let line = 1; line <= 300; line++) long.add('x'.repeat(1024), 'stdout')
  expect(long.lines()).toHaveLength(256)
})

test('hands out the last few, and those after an id', () => {
  const buffer = createOutputBuffer({ lines: 4 })
  for (const text of 'abcdef') buffer.add(text, 'stdout')
  expect(texts(buffer, { last: 2 })).toEqual(['e', 'f'])
  expect(texts(buffer, { last: 0 })).toEqual([])
  expect(texts(buffer, { last: 9 })).toEqual(['c', 'd', 'e', 'f'])
  expect(texts(buffer, { after: 4 })).toEqual(['e', 'f'])
  expect(texts(buffer, { after: 1, last: 1 })).toEqual(['f'])
})

test('tells every listener until it leaves, also when it leaves while it is told', () => {
  const buffer = createOutputBuffer()
  const heard: string[] = []
  const once = buffer.listen(({ text }) => {
    heard.push(`once ${text}`)
    once()
  })
  const always = buffer.listen(({ text }) => void heard.push(`always ${text}`))
  buffer.add('a', 'stdout')
  buffer.add('b', 'stdout')
  always()
  buffer.add('c', 'stdout')
  expect(heard).toEqual(['once a', 'always a', 'always b'])
})

test('costs the same for every line, however many there were', () => {
  const buffer = createOutputBuffer()
  const time = (lines: number) => {
    const before = performance.now()
    for (let line = 0; line < lines; line++) buffer.add('a line like any other', 'stdout')
    return (performance.now() - before) / lines
  }
  time(20_000)
  expect(time(100_000)).toBeLessThan(0.02) // a copy of all that is kept, for each line, would be ten times that
})
