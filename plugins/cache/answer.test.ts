import { describe, expect, test } from 'bun:test'
import { isWhole } from './answer.ts'
import { repeatsFields } from './repeats.ts'

const bytes = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>
const wire = bytes('{"model":"m"}')
const judge = (body: string, wireOf = wire) => isWhole({ wire: wireOf, body: bytes(body), operation: 'chat.completions', events: false })
const judgeStream = (...events: string[]) =>
  isWhole({ wire, body: bytes(events.map(event => `data: ${event}\n\n`).join('')), operation: 'chat.completions', events: true })
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
  ])('%s is kept', (_, answer) => expect(judge(JSON.stringify(answer))).toBe(true))

  test.each([
    ['an error', { error: { message: 'out of memory' } }],
    ['an error that is a text', { error: 'out of memory', choices: [] }],
    ['a generation that was broken off', { choices: [choice({ finish_reason: 'stop' }), choice({ finish_reason: 'abort' })] }],
    ['one that failed', { choices: [choice({ finish_reason: 'error' })] }],
  ])('%s is not', (_, answer) => expect(judge(JSON.stringify(answer))).toBe(false))

  test('cut off in its middle is not', () => expect(judge('{"error":{"mess')).toBe(false))

  test('to a request that names a field twice is not', () => {
    expect(judge('{"choices":[]}', bytes('{"model":"m","model":"m"}'))).toBe(false)
  })
})

describe('a recorded stream', () => {
  const event = (delta: object, finish_reason: string | null = null) =>
    JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })
  const text = event({ role: 'assistant', content: 'say "error" or "abort"' })

  test('is kept with its end', () => {
    expect(judgeStream(text, event({}, 'stop'), '[DONE]')).toBe(true)
    expect(judgeStream(text, event({ error: 'abort' }, 'length'), '[DONE]')).toBe(true)
  })
  test.each([
    ['without its end', [text, event({}, 'stop')]],
    ['with an error', [text, JSON.stringify({ error: { message: 'x' } }), '[DONE]']],
    ['broken off at the server', [text, event({}, 'abort'), '[DONE]']],
    ['that failed', [text, event({}, 'error'), '[DONE]']],
  ])('%s is not', (_, events) => expect(judgeStream(...events)).toBe(false))
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
