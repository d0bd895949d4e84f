import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keySettings } from '../records/contract/under-test.ts'
import { generateKey } from '../records/generate-key.ts'
import { openRecords, type SqliteRecords } from '../records/sqlite.ts'
import { openEntry } from './entry.ts'

let folder: string
let records: SqliteRecords
let said: string[]
const log = { warn: (line: unknown) => said.push(String(line)), info: (line: unknown) => said.push(String(line)) }
const open = async () => openEntry(records.settings, log as Parameters<typeof openEntry>[1])
const makeKey = async () => {
  const { secret: _, ...stored } = generateKey()
  return records.keys.create(keySettings(), stored, { who: 'test' })
}
const disabled = 'API key authentication disabled: anybody who reaches this address may use the models'
const enabled = 'API key authentication enabled'

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-entry-'))
  records = await openRecords({ path: join(folder, 'gatehouse.db') })
  said = []
})
afterEach(() => {
  records.close()
  rmSync(folder, { recursive: true, force: true })
})

test('the first managed key closes it, and its end opens nothing', async () => {
  const entry = await open()
  expect(said).toEqual([])
  entry.follow({ auth: 'auto' })
  expect({ open: entry.open, said }).toEqual({ open: true, said: [disabled] })
  const { id } = await makeKey()
  expect({ open: entry.open, said }).toEqual({ open: false, said: [disabled, enabled] })
  await records.keys.delete(id, { who: 'test' })
  entry.follow({ auth: 'auto' })
  const next = await open()
  next.follow({ auth: 'auto' })
  expect({ open: next.open, said }).toEqual({ open: false, said: [disabled, enabled, enabled] })
})

test('a key of the config closes it, and auth: off opens it to all', async () => {
  await makeKey()
  const entry = await open()
  entry.follow({ auth: 'auto', api_key: 'sk-0000' })
  entry.follow({ auth: 'off', api_key: 'sk-0000' })
  expect({ open: entry.open, said }).toEqual({ open: true, said: [enabled, disabled] })
  entry.follow({ auth: 'required', api_key_sha256: '0'.repeat(64) })
  expect({ open: entry.open, said }).toEqual({ open: false, said: [enabled, disabled, enabled] })
})

test('hears of nothing once it is closed', async () => {
  const entry = await open()
  entry.follow({ auth: 'auto' })
  entry.close()
  await makeKey()
  expect(said).toEqual([disabled])
})
