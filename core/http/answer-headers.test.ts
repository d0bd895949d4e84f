import { expect, test } from 'bun:test'
import { createAnswerHeaders } from './answer-headers.ts'

const inHeaders = (headers: ReturnType<typeof createAnswerHeaders>) => {
  const real = new Headers({ 'content-type': 'application/json', 'x-b': 'before' })
  headers.putInto(real)
  return Object.fromEntries(real)
}

test('what is set is put into the headers of an answer, over what was there', () => {
  const headers = createAnswerHeaders()
  headers.set('X-A', '1')
  headers.set('x-a', '2')
  headers.set('x-b', 'after')
  expect(headers.get('X-a')).toBe('2')
  expect(headers.has('x-B')).toBe(true)
  expect(inHeaders(headers)).toEqual({ 'content-type': 'application/json', 'x-a': '2', 'x-b': 'after' })
})

test('what is appended comes behind what is there', () => {
  const headers = createAnswerHeaders()
  headers.append('vary', 'Origin')
  headers.append('Vary', 'Accept')
  expect(headers.get('vary')).toBe('Origin, Accept')
})

test('what is deleted is gone, and nothing else', () => {
  const headers = createAnswerHeaders()
  headers.set('x-a', '1')
  headers.set('x-c', '3')
  headers.delete('X-A')
  headers.delete('x-missing')
  expect(headers.get('x-a')).toBeNull()
  expect(headers.has('x-a')).toBe(false)
  expect(inHeaders(headers)).toEqual({ 'content-type': 'application/json', 'x-b': 'before', 'x-c': '3' })
})

test.each([
  ['a b', 'value'],
  ['x-a', 'line\r\nx-injected: 1'],
])('what no header can be is refused at the end: %p', (name, value) => {
  const headers = createAnswerHeaders()
  headers.set(name, value)
  expect(() => headers.putInto(new Headers())).toThrow()
})
