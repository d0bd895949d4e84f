import { expect, test } from 'bun:test'
import { ignoredHeader } from './fields.ts'

const named = (...fields: string[]) => ignoredHeader(fields)['x-gatehouse-ignored']

test('no header when everything was passed on', () => {
  expect(ignoredHeader([])).toEqual({})
})

test('names in order, each once', () => {
  expect(named('user', 'messages.name', 'user')).toBe('user, messages.name')
})

test('a name that could break the header cannot', () => {
  expect(named('a\r\nset-cookie: x', 'ü,b', '')).toBe('a__set-cookie__x, __b, _')
})

test('long names and long lists are cut', () => {
  expect(named('x'.repeat(500))).toHaveLength(64)
  expect(named(...Array.from({ length: 50 }, (_, index) => `f${index}`))?.split(', ')).toHaveLength(20)
})
