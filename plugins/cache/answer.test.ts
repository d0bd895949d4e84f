import { describe, expect, test } from 'bun:test'
import { isWhole } from './answer.ts'
import { repeatsFields } from './repeats.ts'

const bytes = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>
const request = { wire: () => bytes('{"model":"m"}') }
const choice = (fields: object) => ({ index: 0, message: { role: 'assistant', content: 'x' }, ...fields })

describe('an answer', () => {
  test.each([
    ['a chat', { choices: [choice({ finish_reason: 'stop' })] }],
    ['one as long as the request allowed', { choices: [choice({ finish_reason: 'length' })] }],
    ['no error', { error: null, choices: [choice({ finish_reason: 'stop' })] }],
    [
      'one that speaks of errors',
      { choices: [choice({ message: { content: 'say "error" or "abort"', error: 'x' }, finish_reason: 'stop' })] },
    ],
    ['embeddings', { object: 'list', data: [{ embedding: [0.1], index: 0 }] }],
  ])('%s is kept', (_, answer) => expect(isWhole(request, bytes(JSON.stringify(answer)))).toBe(true))

  test.each([
    ['an error', { error: { message: 'out of memory' } }],
    ['an error that is a text', { error: 'out of memory', choices: [] }],
    ['a generation that was broken off', { choices: [choice({ finish_reason: 'stop' }), choice({ finish_reason: 'abort' })] }],
    ['one that failed', { choices: [choice({ finish_reason: 'error' })] }],
  ])('%s is not', (_, answer) => expect(isWhole(request, bytes(JSON.stringify(answer)))).toBe(false))

  test('cut off in its middle is not', () => expect(isWhole(request, bytes('{"error":{"mess'))).toBe(false))

  test('to a request that names a field twice is not', () => {
    expect(isWhole({ wire: () => bytes('{"model":"m","model":"m"}') }, bytes('{"choices":[]}'))).toBe(false)
  })
})

test.each([
  ['{}', false],
  ['{"a":1,"b":[{"a":1},{"a":2}],"c":{"a":{}}}', false],
  [String.raw`{"a":"\"a\":1","\"":1,"\\":2,"\\\"":":"}`, false],
  [String.raw`{ "a" : "b\\" , "c":"\"" }`, false],
  ['["a","a",["a"],":"]', false],
  ['{"a":1,"a":1}', true],
  ['{"a":1,"b":[{"c":1,"c" :2}]}', true],
  [String.raw`{"a":1,"\u0061":2}`, true],
  ['{"__proto__":1,"__proto__":2}', true],
  ['{"__proto__":{"a":1},"a":2}', false],
])('%s names a field twice: %p', (json, expected) => expect(repeatsFields(bytes(json))).toBe(expected))
