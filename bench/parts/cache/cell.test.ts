import { expect, test } from 'bun:test'
import type { Rounds } from '../rounds.ts'
import { figuresOf, ratesToNginx, tableOf } from './cell.ts'
import type { Row, RowResult } from './row.ts'

const result = (perSecond: number, more: Partial<RowResult> = {}): RowResult => ({
  answers: 1,
  total: 1,
  seconds: 1,
  perSecond,
  wrong: 0,
  missed: 0,
  p50Ms: 0.5,
  p99Ms: 2,
  endP50Ms: 0.75,
  endP99Ms: 3,
  cpuMicroseconds: 100,
  residentMb: 80,
  upstreamShare: 1,
  complaint: undefined,
  joinedShare: 0,
  ...more,
})

const way = (pid?: number) => ({ name: '', url: '', rival: false, ...(pid !== undefined && { pid }) })
const rows: readonly Row[] = [
  { name: 'direct', way: way() },
  { name: 'hit', way: way(1), cache: 'hit' },
  { name: 'cache off', way: way(2) },
  { name: 'nginx plain', way: way(3) },
]
const results: Readonly<Record<string, readonly RowResult[]>> = {
  direct: [result(400), result(400), result(400)],
  // 1.5, 3 and 2 times nginx in their rounds, though the medians say 2.5
  hit: [result(150, { upstreamShare: 0 }), result(300, { upstreamShare: 0, residentMb: 90 }), result(250, { upstreamShare: 0 })],
  'cache off': [result(60), result(50), result(40)],
  'nginx plain': [result(100), result(100), result(125)],
}
const roundsOf = (names: readonly string[]): Rounds<RowResult> => ({
  of: name => (names.includes(name) ? (results[name] ?? []) : []),
  again: [],
})
const all = roundsOf(Object.keys(results))
const whole = { connections: 50, seconds: 1, warmUpSeconds: 0 }

test('a row stands to nginx as it did round by round', () => {
  expect(ratesToNginx(all, 'hit')).toEqual([1.5, 3, 2])
  expect(ratesToNginx(roundsOf(['hit']), 'hit')).toEqual([])
})

test('the table of whole answers', () => {
  expect(tableOf({ order: whole, rows }, all)).toEqual({
    columns: [
      '50 connections, whole answers',
      'answers/s',
      'rounds',
      'p50 ms',
      'p99 ms',
      'CPU µs/answer',
      'resident MB',
      'upstream asked',
      '÷ nginx plain',
    ],
    rows: [
      ['direct', '400', '±0 %', '0.500', '2.000', '', '', '100 %', '4.00'],
      ['hit', '250', '±30 %', '0.500', '2.000', '100.0', '90.0', '0 %', '2.00'],
      ['cache off', '50', '±20 %', '0.500', '2.000', '100.0', '80.0', '100 %', '0.50'],
      ['nginx plain', '100', '±13 %', '0.500', '2.000', '100.0', '80.0', '100 %', ''],
    ],
  })
})

test('streams count by the event, and have a first and a last one', () => {
  const order = { ...whole, connections: 1, events: 20 }
  const { columns, rows: lines } = tableOf({ order, rows }, all)
  expect(columns[0]).toBe('one connection, streams of 20 events')
  expect(columns.slice(3, 7)).toEqual(['first event p50 ms', 'p99 ms', 'last event p50 ms', 'p99 ms'])
  expect(lines[1]).toEqual(['hit', '5 000', '±30 %', '0.500', '2.000', '0.750', '3.000', '5.0', '90.0', '0 %', '2.00'])
  expect(figuresOf({ order, rows, prefix: 'stream_' }, all)).toMatchObject({
    stream_hit_per_second: { value: 5000, better: 'higher' },
    stream_hit_end_p50_ms: { value: 0.75, better: 'lower' },
    stream_hit_cpu_us: { value: 5, better: 'lower' },
    stream_cache_off_per_second: { value: 1000, better: 'neither' },
  })
})

test('only what the cache does can get better or worse', () => {
  const figures = figuresOf({ order: whole, rows, prefix: '' }, all)
  expect(Object.fromEntries(Object.entries(figures).map(([name, { value, better }]) => [name, `${value} ${better}`]))).toEqual({
    direct_per_second: '400 neither',
    hit_per_second: '250 higher',
    hit_ratio_to_nginx_plain: '2 higher',
    hit_p50_ms: '0.5 lower',
    hit_p99_ms: '2 lower',
    hit_cpu_us: '100 lower',
    cache_off_per_second: '50 neither',
    nginx_plain_per_second: '100 neither',
  })
})

test('without nginx there is no ratio', () => {
  const some = rows.slice(0, 2)
  const rounds = roundsOf(['direct', 'hit'])
  expect(tableOf({ order: whole, rows: some }, rounds).rows.map(row => row.at(-1))).toEqual(['', ''])
  expect(figuresOf({ order: whole, rows: some, prefix: '' }, rounds)).not.toHaveProperty('hit_ratio_to_nginx_plain')
})
