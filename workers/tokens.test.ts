import { describe, expect, test } from 'bun:test'
import { countTokens as plainCl100k } from 'gpt-tokenizer/encoding/cl100k_base'
import { countTokens as plainO200k } from 'gpt-tokenizer/encoding/o200k_base'
import type { Encoding } from './ranks.ts'
import { countTokens } from './tokens.ts'

const plain = { o200k_base: plainO200k, cl100k_base: plainCl100k }
const encodings: readonly Encoding[] = ['o200k_base', 'cl100k_base']
const ofPlain = (text: string, encoding: Encoding) => plain[encoding](text, { disallowedSpecial: new Set() })

/** Reproducible noise. */
function randomly(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >>> 8) % below
  }
}

const pieces = [
  'word',
  ' ',
  'Ünï',
  '\n',
  '  ',
  '123456',
  '::',
  '中文字',
  '\t',
  "don't",
  '😀',
  '<|endoftext|>',
  'e\u0301',
  '/',
  '\r\n',
  'ภาษาไทย',
  '"',
  '{',
]

test.each([...encodings])('%s: texts without long runs are counted as the tokenizer counts them', async encoding => {
  const random = randomly(7)
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: random(60) }, () => pieces[random(pieces.length)]).join('')
    expect([text, (await countTokens(text, encoding)).tokens]).toEqual([text, ofPlain(text, encoding)])
  }
})

test.each([...encodings])('%s: parts of a long text add up to the whole', async encoding => {
  const random = randomly(11)
  const words = ['alpha', 'beta,', 'gamma.', '42', 'Straße', '"x"', 'naïve\n\n', '中文', '—', "it's"]
  const text = Array.from({ length: 150_000 }, () => words[random(words.length)]).join(' ')
  expect(await countTokens(text, encoding)).toEqual({ tokens: ofPlain(text, encoding), cut: false })
})

describe('long runs', () => {
  const random = randomly(3)
  const letters = Array.from({ length: 8192 }, () => String.fromCharCode(97 + random(26))).join('')
  const ideographs = Array.from({ length: 4096 }, () => String.fromCharCode(0x4e00 + random(8000))).join('')
  const runs = {
    a: 'a'.repeat(8192),
    ' ': ' '.repeat(8192),
    '\n': '\n'.repeat(8192),
    '=': '='.repeat(8192),
    '/\n': '/\n'.repeat(4096),
    中: '中'.repeat(4096),
    '😀': '😀'.repeat(2048),
    letters,
    ideographs,
  }

  test.each(Object.entries(runs))('%p: cut, and at most a fiftieth off', async (_name, text) => {
    for (const encoding of encodings) {
      const { tokens, cut } = await countTokens(text, encoding)
      const exact = ofPlain(text, encoding)
      expect(cut).toBe(true)
      expect(Math.abs(tokens - exact)).toBeLessThanOrEqual(Math.max(1, exact / 50))
    }
  })

  // uncut, 1.2 s for 64 KB and sixteen times as much for four times the length
  test('take time in proportion to their length', async () => {
    const time = async (length: number) => {
      const text = Array.from({ length }, () => String.fromCharCode(97 + random(26))).join('') // new each time: words are remembered
      const began = performance.now()
      await countTokens(text, 'o200k_base')
      return performance.now() - began
    }
    const fastest = async (length: number) => Math.min(await time(length), await time(length), await time(length))
    expect(await fastest(256 * 1024)).toBeLessThan((await fastest(32 * 1024)) * 8 * 4)
  })
})
