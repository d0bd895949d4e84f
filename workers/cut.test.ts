import { describe, expect, test } from 'bun:test'
import { cutsOf, longestPart, longestPiece } from './cut.ts'

/** The longest stretch between two cuts, or an end. */
const longest = (text: string) => {
  const ends = [0, ...cutsOf(text).map(({ at }) => at), text.length]
  return Math.max(...ends.slice(1).map((end, index) => end - (ends[index] as number)))
}

test('what people write is not cut', () => {
  const words = 'The quick brown fox, aged 7, jumps; "über" the lazy dog!\n\n  - 100% of it\n'
  expect(cutsOf(words.repeat(1000))).toEqual([])
  expect(cutsOf('')).toEqual([])
  expect(cutsOf('x'.repeat(longestPiece))).toEqual([])
})

describe('a run without a split is cut into pieces', () => {
  const runs = {
    letters: 'a',
    capitals: 'A',
    spaces: ' ',
    newlines: '\n',
    signs: '=',
    'signs and newlines, which o200k does not split': '/\n',
    'spaces and signs': ' =',
    ideographs: '中',
    'letters and marks': 'e\u0301',
    marks: '\u0301',
    emoji: '😀',
    'long letters': '𝒳',
    Thai: 'ภาษา',
  }
  test.each(Object.entries(runs))('%s', (_name, run) => {
    expect(longest(run.repeat(5000))).toBeLessThanOrEqual(longestPiece)
    expect(cutsOf(run.repeat(5000)).every(({ forced }) => forced)).toBe(true)
    // with something else in front and behind
    expect(longest(`word ${run.repeat(5000)} word`)).toBeLessThanOrEqual(longestPiece + 5)
  })

  test('but digits, which come in threes, are none', () => {
    expect(cutsOf('7'.repeat(5000))).toEqual([])
  })
})

test('no character is cut in half', () => {
  for (const lead of ['', 'a', 'aa', 'aaa']) {
    const text = lead + '😀'.repeat(2000)
    let from = 0
    for (const { at } of cutsOf(text)) {
      expect(text.slice(from, at).isWellFormed()).toBe(true)
      from = at
    }
  }
})

test('a long text is cut into parts between words', () => {
  const text = 'some words in a row '.repeat(60_000)
  const cuts = cutsOf(text)
  expect(cuts.length).toBeGreaterThanOrEqual(3)
  for (const { at, forced } of cuts) {
    expect(forced).toBe(false)
    expect(text.slice(at - 1, at + 2)).toMatch(/^[a-z] [a-z]$/)
  }
  expect(longest(text)).toBeLessThan(longestPart + 100)
})
