import { expect, test } from 'bun:test'
import { keepLongNumbers } from './long-numbers.ts'

const rewritten = (text: string) => JSON.stringify({ ...JSON.parse(text), model: 'there' }, keepLongNumbers(new TextEncoder().encode(text)))

test.each([
  ['{"a":9007199254740993,"b":9007199254740992,"model":"x"}', '{"a":9007199254740993,"b":9007199254740992,"model":"there"}'],
  ['{"list":[9007199254740993,9007199254740992],"model":"x"}', '{"list":[9007199254740993,9007199254740992],"model":"there"}'],
  ['{"deep":{"id":-12345678901234567890},"model":"x"}', '{"deep":{"id":-12345678901234567890},"model":"there"}'],
  ['{"huge":1e400,"model":"x"}', '{"huge":1e400,"model":"there"}'],
  ['{"a":1,"model":"x"}', '{"a":1,"model":"there"}'],
])('%s keeps its digits when it is rewritten', (text, expected) => {
  expect(rewritten(text)).toBe(expected)
})
