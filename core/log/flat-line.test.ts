import { expect, test } from 'bun:test'
import pino from 'pino'
import { createScreen } from '../secrets.ts'
import { createFlatLine } from './flat-line.ts'

const time = '2026-11-20T12:00:00.000Z'
const written = (facts: unknown, message: unknown, secrets: readonly string[] = []) =>
  createFlatLine(createScreen(secrets))('info', time, facts, message)

/** What pino makes of the same, which is what the house's log would write without this. */
function byPino(facts: object, message: string): string {
  const lines: string[] = []
  const log = pino(
    { base: null, messageKey: 'message', timestamp: () => `,"time":"${time}"`, formatters: { level: label => ({ level: label }) } },
    { write: (line: string) => void lines.push(line) },
  )
  log.info(facts, message)
  return lines.join('')
}

test.each([
  [{}, 'nothing'],
  [{ request_id: 'a-1', model: 'qwen3:8b', age: 12 }, 'Cache hit'],
  [{ ok: true, not: false, zero: 0, minus: -0, part: 0.1, large: 1e21, gone: undefined }, 'of all kinds'],
  [{ text: 'quotes " and \\', umlaut: 'grün 海 🌊', half: '\ud83c', empty: '' }, 'a "message" with ü'],
])('%j is what pino writes', (facts, message) => {
  expect(written(facts, message)).toBe(byPino(facts, message))
})

test.each([
  [{ err: new Error('x') }, 'an error'],
  [{ error: 'x' }, 'perhaps an error'],
  [{ api_key: 'x' }, 'a key'],
  [{ headers: 'x' }, 'headers'],
  [{ level: 'x' }, 'a name of the line itself'],
  [{ deep: {} }, 'an object'],
  [{ list: [] }, 'a list'],
  [{ nothing: null }, 'null'],
  [{ large: 1n }, 'a bigint'],
  [{ odd: Number.NaN }, 'no number'],
  [{ 'a name': 1 }, 'an odd name'],
  [new Error('x'), 'an error'],
  ['text', 'and an argument'],
  [{ a: 1 }, undefined],
])('%p is left to pino', (facts, message) => {
  expect(written(facts, message)).toBeUndefined()
})

test('holds no secret and nothing a terminal acts on', () => {
  const line = written({ path: '/v1/sk-house-0001', evil: '\u001b[2J\u202e' }, 'with sk-house-0001', ['sk-house-0001']) as string
  expect(JSON.parse(line)).toMatchObject({ path: '/v1/<redacted>', message: 'with <redacted>' })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left
  expect(line.trim()).not.toMatch(/[\u0000-\u001f\u202e]/)
  expect(written({ sk_house_0001: 1 }, 'a name', ['sk_house_0001'])).toBeUndefined()
})
