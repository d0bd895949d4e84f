import { expect, test } from 'bun:test'
import { parseSize } from './size.ts'

test.each<[string, number | undefined]>([
  ['33554432', 33_554_432],
  ['32MiB', 33_554_432],
  ['32mib', 33_554_432],
  ['1.5 KiB', 1536],
  ['10MB', 10_000_000],
  ['1GiB', 1_073_741_824],
  ['12B', 12],
  ['32M', undefined],
  ['MiB', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['', undefined],
  ['99999999999999999', undefined],
])('%p is %p bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes as number)
})
