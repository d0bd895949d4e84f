import { expect, test } from 'bun:test'
import cl100k from 'gpt-tokenizer/bpeRanks/cl100k_base'
import o200k from 'gpt-tokenizer/bpeRanks/o200k_base'
import { readRanks } from './ranks.ts'

test('the tables are those of gpt-tokenizer', async () => {
  expect(Bun.deepEquals(await readRanks('o200k_base'), o200k)).toBe(true)
  expect(Bun.deepEquals(await readRanks('cl100k_base'), cl100k)).toBe(true)
})
