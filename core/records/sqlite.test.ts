import { afterEach, beforeEach } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testRecords } from './contract.ts'
import { openRecords, type SqliteRecords } from './sqlite.ts'

let folder: string
const opened: SqliteRecords[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-records-'))
})
afterEach(() => {
  for (const records of opened.splice(0)) records.close()
  rmSync(folder, { recursive: true, force: true })
})

testRecords('records in SQLite', async () => {
  let at = Date.parse('2026-01-02T03:04:05Z')
  const records = await openRecords({ path: join(folder, 'records.db'), now: () => at })
  opened.push(records)
  return {
    records,
    now: () => at,
    advance: ms => {
      at += ms
    },
  }
})
