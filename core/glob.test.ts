import { expect, test } from 'bun:test'
import { matchesGlob } from './glob.ts'

test.each<[string, string, boolean]>([
  ['a', 'a', true],
  ['a', 'A', false],
  ['a', 'ab', false],
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', 'Qwen/Qwen3-32B', true],
  ['qwen3:*', 'qwen3:8b', true],
  ['qwen3:*', 'qwen3', false],
  ['*-embed*', 'nomic-embed-text', true],
  ['a*b*c', 'aXbXbc', true],
  ['a*b*c', 'aXbXb', false],
  ['gpt-?o', 'gpt-4o', true],
  ['gpt-?o', 'gpt-o', false],
  ['[ab]', 'a', false],
  ['a.c', 'abc', false],
  ['/v1/chat/*', '/v1/chat/completions', true],
])('%p stands for %p: %p', (pattern, text, expected) => expect(matchesGlob(pattern, text)).toBe(expected))

test('many stars take no time', () => {
  const started = performance.now()
  expect(matchesGlob(`${'*a'.repeat(50)}b`, 'a'.repeat(10_000))).toBe(false)
  expect(performance.now() - started).toBeLessThan(5000)
})
