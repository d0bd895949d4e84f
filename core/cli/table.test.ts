import { describe, expect, test } from 'bun:test'
import { cutText } from './table/cut-text.ts'
import { type Column, fieldLines, tableLines } from './table.ts'

interface Fruit {
  readonly id: number
  readonly name: string
  readonly from: string
}
const fruits: readonly Fruit[] = [
  { id: 1, name: 'apple', from: 'the north' },
  { id: 120, name: 'a pear of uncommon size', from: 'x' },
]
const columns: readonly Column<Fruit>[] = [
  { name: 'ID', right: true, text: ({ id }) => String(id) },
  { name: 'NAME', least: 8, text: ({ name }) => name },
  { name: 'FROM', spare: 1, text: ({ from }) => from },
]
const widths = (lines: readonly string[]) => lines.map(line => Bun.stringWidth(line))

describe('a table', () => {
  test('is aligned, numbers at their ends, nothing behind the last column', () => {
    expect(tableLines(columns, fruits, Number.POSITIVE_INFINITY)).toEqual([
      ' ID  NAME                     FROM',
      '  1  apple                    the north',
      '120  a pear of uncommon size  x',
    ])
  })

  test('cuts what may be cut where it would be too wide, and says so', () => {
    expect(tableLines(columns, fruits, 30)).toEqual([
      ' ID  NAME            FROM',
      '  1  apple           the north',
      '120  a pear of unc…  x',
    ])
  })

  test('leaves out whole columns where cutting is not enough, and has the room that they leave', () => {
    expect(tableLines(columns, fruits, 20)).toEqual([' ID  NAME', '  1  apple', '120  a pear of unco…'])
  })

  test('is never wider than the terminal, whatever is in it', () => {
    for (let width = 1; width < 60; width++) {
      const lines = tableLines(columns, [...fruits, { id: 7, name: '世界 🙂👨‍👩‍👧 ünïcödé', from: '日本' }], width)
      expect(Math.max(...widths(lines))).toBeLessThanOrEqual(width)
    }
  })

  test('counts characters as they are drawn', () => {
    const lines = tableLines(columns, [{ id: 1, name: '世界', from: 'a' }], 80)
    expect(widths([lines[1]?.split('a')[0] as string])).toEqual([(lines[0] as string).indexOf('FROM')])
  })

  test('does nothing to the terminal', () => {
    const [, row] = tableLines(columns, [{ id: 1, name: '\u001b[2Jred\nnext', from: '\u202egnp' }], 80)
    expect(row).toBe(' 1  \\u001b[2Jred\\u000anext  \\u202egnp')
  })

  test('of nothing has its names', () => {
    expect(tableLines(columns, [], 80)).toEqual(['ID  NAME  FROM'])
  })

  test('of a hundred thousand rows is made, too', () => {
    const many = Array.from({ length: 100_000 }, (_, id) => ({ id, name: 'n'.repeat(id % 200), from: 'x' }))
    expect(tableLines(columns, many, 80)).toHaveLength(100_001)
  })
})

test('fields are whole, however long', () => {
  expect(
    fieldLines([
      ['id', '1'],
      ['a name', `${'x'.repeat(300)}\u0007`],
    ]),
  ).toEqual(['id      1', `a name  ${'x'.repeat(300)}\\u0007`])
})

test.each([
  ['abc', 3, 'abc'],
  ['abcd', 3, 'ab…'],
  ['世界世界', 5, '世界…'],
  ['世界世界', 4, '世…'],
  ['👨‍👩‍👧👨‍👩‍👧', 3, '👨‍👩‍👧…'],
  ['abc', 1, '…'],
  ['abc', 0, ''],
])('%p in %p characters is %p', (text, width, cut) => {
  expect(cutText(text, width)).toBe(cut)
})
