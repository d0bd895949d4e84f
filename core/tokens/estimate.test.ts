import { expect, test } from 'bun:test'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { estimateTokens } from './estimate.ts'

const prose = 'The gateway stands between clients and models. It counts what passes, and says so when it had to guess.'
const code = 'export const sum = (list: readonly number[]) => list.reduce((total, next) => total + next, 0)\n'
const german = 'Wer zählt, was durch das Tor geht, darf sich nicht verzählen; wer nur schätzt, muss es sagen.'
const chinese = '网关位于客户端和模型之间。它统计通过的内容，并在必须猜测时说明。'

test.each([prose, code, german, chinese])('%p within 30 percent', text => {
  const exact = countTokens(text)
  expect(Math.abs(estimateTokens([text]) - exact)).toBeLessThanOrEqual(exact * 0.3)
})

test('never less than a quarter, whatever the text', () => {
  for (const text of ['7a8b9c0d', '\u0000\u0001', '龘靐齉', '👩‍👩‍👧‍👦', '', ' '])
    expect(estimateTokens([text]) * 4).toBeGreaterThanOrEqual(countTokens(text))
})
