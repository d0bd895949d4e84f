import { expect, test } from 'bun:test'
import { brief, markdownTable, show, textTable } from './table.ts'

const table = {
  columns: ['way', 'answers/s'],
  rows: [
    ['direct', '148 431'],
    ['gatehouse, µs', ''],
  ],
}

test('the same table for a terminal and for Markdown', () => {
  expect(textTable(table).split('\n')).toEqual([
    '  way             answers/s',
    '  ─────────────   ─────────',
    '  direct            148 431',
    '  gatehouse, µs',
  ])
  expect(markdownTable(table).split('\n')).toEqual([
    '| way           | answers/s |',
    '| ------------- | --------: |',
    '| direct        |   148 431 |',
    '| gatehouse, µs |           |',
  ])
})

test('numbers have as many digits as say something', () => {
  expect(show(1_234_567.89, 1)).toBe('1 234 567.9')
  expect([0 / 0, 1 / 0].map(value => show(value))).toEqual(['–', '–'])
  expect([0.1234, 1.26, 123.4, -0.5].map(brief)).toEqual(['0.123', '1.3', '123', '-0.500'])
})
