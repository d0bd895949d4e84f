import { expect, test } from 'bun:test'
import { readCacheControl } from './cache-control.ts'

const nothing = { noCache: false, noStore: false, maxAgeMs: Number.POSITIVE_INFINITY }

test.each<[string | null, Partial<typeof nothing>]>([
  [null, {}],
  ['', {}],
  ['no-cache', { noCache: true }],
  ['NO-CACHE', { noCache: true }],
  ['no-store', { noStore: true }],
  ['no-store , no-cache', { noStore: true, noCache: true }],
  ['max-age=60', { maxAgeMs: 60_000 }],
  ['Max-Age = "60"', { maxAgeMs: 60_000 }],
  ['max-age=0', { maxAgeMs: 0 }],
  ['max-age=60, max-age=5', { maxAgeMs: 5000 }],
  ['no-transform, max-stale=5, min-fresh=3, only-if-cached', {}],
  ['max-age', {}],
  ['max-age=', {}],
  ['max-age=abc', {}],
  ['max-age=-5', {}],
  ['max-age=1.5', {}],
  ['max-age=5s', {}],
  ['max-age=abc, no-cache', { noCache: true }],
  ['x-max-age=5, no-cached, nono-store', {}],
  ['private="a, no-store, max-age=1", max-age=7', { maxAgeMs: 7000 }],
  ['private="a\\", no-store", no-cache', { noCache: true }],
  [',,;=;"', {}],
])('%p', (header, expected) => {
  expect(readCacheControl(header)).toEqual({ ...nothing, ...expected })
})
