import { expect, test } from 'bun:test'
import { noCounts } from './testing/usage-row.ts'
import { others, type UsageRow } from './usage.ts'
import { createUsageGatherer } from './usage-gatherer.ts'

/** Records that note what they get, and fail when told to. */
function noting() {
  const batches: (readonly UsageRow[])[] = []
  const uses: ReadonlyMap<number, number>[] = []
  const fails = { usage: false, keys: false }
  const failOr = (fail: boolean, work: () => void) => {
    if (fail) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' })
    work()
  }
  const records = {
    usage: { add: (rows: readonly UsageRow[]) => failOr(fails.usage, () => void batches.push(structuredClone(rows))) },
    keys: { used: (at: ReadonlyMap<number, number>) => failOr(fails.keys, () => void uses.push(at)) },
  }
  const warnings: unknown[][] = []
  const log = { warn: (...words: unknown[]) => void warnings.push(words) }
  const gatherer = createUsageGatherer({ records: records as never, log: log as never, intervalMs: 60_000 })
  return { gatherer, batches, uses, fails, warnings, rows: () => batches.flat() }
}

const place = { day: '2026-01-31', keyId: 1, model: 'm', target: 'box', user: 'ann' }

test('what is of the same place is one row, written when it is flushed', async () => {
  const { gatherer, batches, rows } = noting()
  gatherer.count(place, { requests: 1, promptTokens: 5, latencyMs: 0.5 })
  gatherer.count({ ...place }, { requests: 1, promptTokens: 7, errors: 1 })
  gatherer.count({ ...place, model: 'mb', target: 'ox' }, { requests: 1 })
  expect(batches).toEqual([])
  await gatherer.flush()
  expect(rows()).toEqual([
    { ...noCounts, ...place, requests: 2, promptTokens: 12, errors: 1, latencyMs: 0.5 },
    { ...noCounts, ...place, model: 'mb', target: 'ox', requests: 1 },
  ])
  await gatherer.flush()
  expect(rows()).toHaveLength(2)
})

test('the latest use of each key is noted once', async () => {
  const { gatherer, uses } = noting()
  gatherer.used(1, 10)
  gatherer.used(2, 20)
  gatherer.used(1, 30)
  await gatherer.flush()
  await gatherer.close()
  expect(uses).toEqual([
    new Map([
      [1, 30],
      [2, 20],
    ]),
  ])
})

test('it is written by itself', async () => {
  const written = Promise.withResolvers<readonly UsageRow[]>()
  const records = { usage: { add: written.resolve }, keys: { used() {} } }
  const gatherer = createUsageGatherer({ records: records as never, log: { warn() {} } as never, intervalMs: 1 })
  gatherer.count(place, { requests: 1 })
  expect(await written.promise).toHaveLength(1)
  await gatherer.close()
})

test('many rows go in parts', async () => {
  const { gatherer, batches } = noting()
  for (let at = 0; at < 600; at++) gatherer.count({ ...place, user: `u${at}` }, { requests: 1 })
  await gatherer.close()
  expect(batches.map(({ length }) => length)).toEqual([250, 250, 100])
})

test('what a full disk refuses is kept, added to, and written later; nothing is counted twice', async () => {
  const { gatherer, fails, rows, uses, warnings } = noting()
  fails.usage = true
  for (let at = 0; at < 1500; at++) gatherer.count({ ...place, user: `u${at}` }, { requests: 1 })
  gatherer.used(1, 10)
  await gatherer.flush()
  expect(warnings).toHaveLength(1)
  gatherer.count({ ...place, user: 'u7' }, { requests: 1 })
  fails.usage = false
  fails.keys = true
  await gatherer.flush()
  gatherer.used(1, 20)
  fails.keys = false
  await gatherer.close()
  expect(rows()).toHaveLength(1500)
  expect(rows().reduce((sum, { requests }) => sum + requests, 0)).toBe(1501)
  expect(uses).toEqual([new Map([[1, 20]])])
})

test('a database that takes nothing for a long time costs names, not numbers, and no more memory', async () => {
  const { gatherer, fails, rows } = noting()
  fails.usage = true
  for (let at = 0; at < 50_000; at++) gatherer.count({ ...place, user: `u${at}` }, { requests: 1 })
  await gatherer.flush()
  fails.usage = false
  await gatherer.close()
  expect(rows()).toHaveLength(20_001)
  expect(rows().find(({ user }) => user === others)).toMatchObject({ requests: 30_000, model: others, keyId: 1 })
})
