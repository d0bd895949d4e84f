import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../testing/random.ts'
import { killWriter, type Told } from './testing/kill-writer.ts'

test('after kill -9 everything that was committed is there, time after time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-records-'))
  const told: Told = { keys: new Map(), changes: 0, requests: 0 }
  const random = seededRandom(7)
  try {
    for (let round = 1; round <= 4; round++) await killWriter(join(folder, 'gatehouse.db'), told, round, Math.floor(random() * 1500))
    expect(told.changes).toBeGreaterThan(100)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
