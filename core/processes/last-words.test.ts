import { expect, test } from 'bun:test'
import { lastWords } from './last-words.ts'
import { createOutputBuffer, type OutputLine } from './output-buffer.ts'

/** Lines of a program, each with the time it was read at. */
function said(...lines: readonly (readonly [from: OutputLine['from'], at: number, text: string])[]) {
  let now = 0
  const buffer = createOutputBuffer({}, () => now)
  for (const [from, at, text] of lines) {
    now = at
    buffer.add(text, from)
  }
  return buffer.lines()
}
const many = (from: OutputLine['from'], at: number, count: number) =>
  Array.from({ length: count }, (_, index) => [from, at, `${from} ${index}`] as const)
const texts = (lines: readonly OutputLine[]) => lines.map(({ text }) => text)

test('are the last ones, without what gatehouse says', () => {
  const lines = said(...many('stderr', 0, 9), ['gatehouse', 1, 'stopped'], ['stderr', 1, 'end'])
  expect(texts(lastWords(lines, 4))).toEqual(['stderr 6', 'stderr 7', 'stderr 8', 'end'])
  expect(lastWords([], 4)).toEqual([])
})

test('have the reason, though the other pipe was read later', () => {
  const lines = said(['stderr', 0, 'out of memory'], ['stderr', 0, 'giving up'], ...many('stdout', 5, 30))
  expect(texts(lastWords(lines, 6))).toEqual(['out of memory', 'giving up', 'stdout 26', 'stdout 27', 'stdout 28', 'stdout 29'])
})

test('have nothing that was said on stderr long ago', () => {
  const lines = said(['stderr', 0, 'a warning at the start'], ...many('stdout', 60_000, 30))
  expect(texts(lastWords(lines, 3))).toEqual(['stdout 27', 'stdout 28', 'stdout 29'])
})
