/** Long proofs of the records, with their figures: run by `npm run test:long`. */

import { heapStats } from 'bun:jsc'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../testing/random.ts'
import { testKeyWalk } from './contract/key-walk.ts'
import { admin, keySettings, storedSecret } from './contract/under-test.ts'
import { openKeyIndex } from './key-index.ts'
import { openRecords, type SqliteRecords } from './sqlite.ts'
import { killWriter, type Told } from './testing/kill-writer.ts'
import { usageRow } from './testing/usage-row.ts'

let folder: string
const opened: SqliteRecords[] = []
const open = async (now?: () => number): Promise<SqliteRecords> => {
  const records = await openRecords({ path: join(folder, 'gatehouse.db'), ...(now && { now }) })
  opened.push(records)
  return records
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-records-'))
})
afterEach(() => {
  for (const records of opened.splice(0)) records.close()
  rmSync(folder, { recursive: true, force: true })
})

testKeyWalk(
  async () => {
    let at = 0
    const records = await open(() => at)
    return {
      records,
      now: () => at,
      advance: ms => {
        at += ms
      },
    }
  },
  { walks: 60, steps: 2000 },
)

test('killed 25 times on the same file, it never lost what was committed', async () => {
  const told: Told = { keys: new Map(), changes: 0, requests: 0 }
  const random = seededRandom(11)
  for (let round = 1; round <= 25; round++) await killWriter(join(folder, 'gatehouse.db'), told, round, Math.floor(random() ** 2 * 20_000))
  console.log(`25 kills: ${told.changes} changes of keys and ${told.requests} requests counted, all there`)
})

const keyCount = 100_000

/** Microseconds: the median, and what 99 of 100 stay below. */
function timed(times: number, work: (at: number) => void): string {
  const took = Array.from({ length: times }, (_, at) => {
    const since = performance.now()
    work(at)
    return (performance.now() - since) * 1000
  }).sort((a, b) => a - b)
  return `${took[times >> 1]?.toFixed(1)} µs (p99 ${took[Math.floor(times * 0.99)]?.toFixed(0)} µs)`
}

test('100,000 keys: what they take in memory and in time', async () => {
  const first = await open()
  console.log(
    `create a key: ${timed(keyCount, at => void first.keys.create(keySettings({ name: `key number ${at}` }), storedSecret(at), admin))}`,
  )
  console.log(`change a key: ${timed(3000, at => void first.keys.update(1 + at * 7, { quota: at }, admin))}`)
  console.log(`a page of 50: ${timed(300, at => void first.keys.list({ after: at * 300, limit: 50 }))}`)
  first.close()

  const records = await open()
  const memory = () => {
    for (let round = 0; round < 3; round++) Bun.gc(true)
    const { heapSize, extraMemorySize } = heapStats()
    return { rss: process.memoryUsage.rss() / 1e6, heap: (heapSize + extraMemorySize) / 1e6 }
  }
  const before = memory()
  const began = performance.now()
  const index = await openKeyIndex(records.keys)
  const loadMs = performance.now() - began
  const after = memory()
  console.log(
    `index of 100,000 keys: ${(after.rss - before.rss).toFixed(0)} MB, of these ${(after.heap - before.heap).toFixed(0)} MB in use; read in ${loadMs.toFixed(0)} ms`,
  )
  expect(after.heap - before.heap).toBeLessThan(50)

  const hashes = Array.from({ length: keyCount }, (_, at) => Uint8Array.fromHex(storedSecret(at).sha256))
  let found = 0
  const since = Bun.nanoseconds()
  for (const hash of hashes) if (index.find(hash)) found++
  const each = (Bun.nanoseconds() - since) / keyCount
  console.log(`find a key among them: ${each.toFixed(0)} ns`)
  expect(found).toBe(keyCount)
  expect(each).toBeLessThan(2000) // 1000 on a machine that does nothing else
  console.log(`change a key with the index: ${timed(1000, at => void records.keys.update(2 + at * 7, { quota: at }, admin))}`)
  index.close()
}, 300_000)

test('what the ledger and usage cost', async () => {
  const { database, usage } = await open()
  const reserve = database.prepare('INSERT INTO ledger_open VALUES (?, ?, 20000, 100)')
  const spend = database.prepare(
    'INSERT INTO ledger_spent VALUES (?, 20000, 50, 0) ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens',
  )
  const release = database.prepare('DELETE FROM ledger_open WHERE id = ?')
  const settle = database.transaction((at: number) => {
    spend.run(at % 1000)
    release.run(at)
  })
  console.log(`set aside: ${timed(20_000, at => void reserve.run(at, at % 1000))}`)
  console.log(`settle: ${timed(20_000, at => settle.immediate(at))}`)
  const rows = (day: number) =>
    Array.from({ length: 1000 }, (_, at) =>
      usageRow({ day: `2026-03-${10 + day}`, keyId: at % 100, model: `model-${at % 5}`, user: `user-${at % 10}-${Math.floor(at / 100)}` }),
    )
  console.log(`1000 new rows of usage: ${timed(20, day => usage.add(rows(day)))}`)
  console.log(`1000 known rows of usage: ${timed(100, day => usage.add(rows(day % 20)))}`)
})

test('a backup of 200 MB while requests are settled', async () => {
  const records = await open()
  const { database } = records
  database.run('CREATE TABLE ballast (x)')
  const ballast = database.prepare(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO ballast SELECT randomblob(1000) FROM n',
  )
  const path = join(folder, 'gatehouse.db')
  while (statSync(path).size < 200e6) {
    ballast.run()
    database.run('PRAGMA wal_checkpoint(TRUNCATE)')
  }
  const spend = database.prepare(
    'INSERT INTO ledger_spent VALUES (?, 20000, 50, 0) ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens',
  )
  let copying = true
  const lags: number[] = []
  const serving = (async () => {
    for (let at = 0; copying; at++) {
      const since = performance.now()
      spend.run(at % 1000)
      await Bun.sleep(1)
      lags.push(performance.now() - since - 1)
    }
  })()
  const began = performance.now()
  await records.backup(join(folder, 'backup.db'))
  const tookMs = performance.now() - began
  copying = false
  await serving
  lags.sort((a, b) => a - b)
  const inPlace = performance.now()
  database.query('VACUUM INTO ?').run(join(folder, 'in-place.db'))
  console.log(
    `backup of 200 MB: ${tookMs.toFixed(0)} ms; the event loop was late by ${lags[lags.length >> 1]?.toFixed(1)} ms (median), ${lags.at(-1)?.toFixed(1)} ms (most); in place it would be ${(performance.now() - inPlace).toFixed(0)} ms`,
  )
  expect(statSync(join(folder, 'backup.db')).size).toBeGreaterThan(190e6)
}, 300_000)
