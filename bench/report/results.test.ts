import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../house/spawn.ts'
import { once } from './figure.ts'
import { columnOf, type Results, savedResults, saveResults } from './results.ts'

const figures = { fast_ms: once(1.23456, 'lower', { amount: 0.1 }), silent_ms: once(Number.NaN, 'lower', { amount: 0 }) }
const parts = [['latency', figures]] as const
const results: Results = {
  date: '2026-01-02T03:04:05.000Z',
  machine: { cpu: 'A processor', cores: 2, memory_gb: 8, os: 'An OS' },
  versions: {},
  load_before: 0,
  parts: columnOf(parts, 'value'),
  noise: columnOf(parts, 'noise'),
}

test('what is saved is read again, to three digits and without what was never measured', () => {
  using folder = temporaryFolder()
  const file = join(folder.path, 'results.json')
  expect(savedResults(file)).toBeUndefined()
  saveResults(results, file)
  expect(savedResults(file)).toMatchObject({ parts: { latency: { fast_ms: 1.235 } }, noise: { latency: { fast_ms: 0.1 } } })
  expect(savedResults(file)?.parts.latency).not.toHaveProperty('silent_ms')
})

test('a file that holds something else is named', () => {
  using folder = temporaryFolder()
  const file = join(folder.path, 'results.json')
  for (const content of ['[]', '{"date":"2026-01-02"}', '{"parts":', '<<<<<<< HEAD']) {
    writeFileSync(file, content)
    expect(() => savedResults(file)).toThrow(`${file} holds no results`)
  }
})

test('the committed results can be read', () => {
  expect(savedResults()?.parts).toContainKeys(['throughput', 'latency'])
})
