import { describe, expect, test } from 'bun:test'
import { formatDuration, parseDuration } from './duration.ts'

describe('parseDuration', () => {
  test.each<[string, number | undefined]>([
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['1.5s', 1500],
    ['.5s', 500],
    ['1.h', 3_600_000],
    ['250us', 0.25],
    ['250µs', 0.25],
    ['250μs', 0.25],
    [' 10s ', 10_000],
    ['-5s', -5000],
    ['+5s', 5000],
    ['0', 0],
    ['0s', 0],
    ['none', Number.POSITIVE_INFINITY],
    ['5', undefined],
    ['', undefined],
    ['s', undefined],
    ['5 s', undefined],
    ['5d', undefined],
    ['1h30', undefined],
    ['1,5s', undefined],
    ['.s', undefined],
    ['5S', undefined],
    ['Infinity', undefined],
  ])('%p is %p ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms as number)
  })
})

describe('formatDuration', () => {
  test.each<[number, string]>([
    [300_000, '5m'],
    [5_400_000, '1h30m'],
    [90_000, '1m30s'],
    [500, '500ms'],
    [1500, '1.5s'],
    [0, '0s'],
    [-5000, '-5s'],
    [86_400_000, '24h'],
    [Number.POSITIVE_INFINITY, 'none'],
  ])('%p ms is %p, and back', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
    expect(parseDuration(text)).toBe(ms)
  })
})
