import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const read = (name: string) => readFileSync(join(import.meta.dir, name), 'utf8')
const byNumber = (a: string, b: string) => Number(a.match(/\d+/)?.[0]) - Number(b.match(/\d+/)?.[0])

const files = readdirSync(import.meta.dir).filter(name => name.endsWith('.test.ts') && name !== 'rows.test.ts')
const tests = files.flatMap(name =>
  [...read(name).matchAll(/^(?:test|describe)\b.*$/gm)].map(([line]) => ({ file: name.replace('.test.ts', ''), line })),
)

test('every row of the table has one test, and every test its row', () => {
  const rows = [...read('README.md').matchAll(/^\| (A\d+) \| (\w+) \|/gm)].map(([, row, file]) => `${row} ${file}`)
  expect(rows.length).toBeGreaterThan(60)
  expect(rows.toSorted(byNumber)).toEqual(rows)
  const named = tests.map(({ file, line }) => `${line.match(/\('(A\d+) /)?.[1] ?? line} ${file}`)
  expect(named.toSorted(byNumber)).toEqual(rows)
})
