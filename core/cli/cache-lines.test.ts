import { expect, test } from 'bun:test'
import { cacheLines } from './cache-lines.ts'

test('every figure has a line, in units people read', () => {
  const stats = {
    entries: 12,
    max_entries: 1000,
    bytes: 1_258_291,
    max_bytes: 67_108_864,
    hits: 90,
    misses: 20,
    joins: 10,
    bypasses: 3,
    tokens_saved: 1_234_567,
    seconds_saved: 3725.26,
  }
  expect(cacheLines(stats)).toEqual([
    'entries       12 of 1,000',
    'size          1.2 MiB of 64 MiB',
    'hits          90 (75 %)',
    'misses        20',
    'joins         10',
    'bypasses      3',
    'tokens saved  1,234,567',
    'time saved    1h2m5s',
  ])
})

test.each([
  [{ bytes: 0 }, 'size          0 B'],
  [{ bytes: 1023 }, 'size          1023 B'],
  [{ bytes: 1024 }, 'size          1 KiB'],
  [{ bytes: 5 * 1024 ** 5 }, 'size          5120 TiB'],
  [{ seconds_saved: 0 }, 'time saved    0s'],
  [{ seconds_saved: 0.25 }, 'time saved    250ms'],
  [{ seconds_saved: 59.5 }, 'time saved    59.5s'],
  [{ hits: 0, misses: 0, joins: 0 }, 'hits          0'],
  [{ hits: 1, misses: 2 }, 'hits          1 (33 %)'],
])('%p', (stats, line) => {
  expect(cacheLines(stats)).toContain(line)
})

test('what a gatehouse does not tell is left open', () => {
  expect(cacheLines({})).toHaveLength(8)
  for (const line of cacheLines({})) expect(line).toEndWith(' -')
  expect(cacheLines({ entries: 'many' as unknown as number, max_entries: null as unknown as number })[0]).toBe('entries       -')
})

test('a cache that is off says so first', () => {
  expect(cacheLines({ enabled: false, entries: 0 }).slice(0, 2)).toEqual(['the cache is off (cache.enabled)', 'entries       0'])
  expect(cacheLines({ enabled: true, entries: 0 })[0]).toBe('entries       0')
})
