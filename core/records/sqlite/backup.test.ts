import { afterEach, beforeEach, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '../../errors.ts'
import { admin, allKeys, keySettings, storedSecret, wholeAudit } from '../contract/under-test.ts'
import { openRecords, type SqliteRecords } from '../sqlite.ts'
import { backupFile } from './backup.ts'

let folder: string
let records: SqliteRecords
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-records-'))
  records = await openRecords({ path: join(folder, 'gatehouse.db') })
})
afterEach(() => {
  records.close()
  rmSync(folder, { recursive: true, force: true })
})

const place = (name: string) => join(folder, name)
const complaintOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(ConfigError)
  return (error as ConfigError).message
}
/** Some megabytes, so that a copy takes a while. */
function fill(): void {
  records.database.run('CREATE TABLE ballast (x)')
  records.database.run(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO ballast SELECT randomblob(1000) FROM n',
  )
}

test('a backup made while others write is the state of one moment, for its owner alone', async () => {
  fill()
  let made = 0
  let copying = true
  const create = () => records.keys.create(keySettings({ name: `key ${made}` }), storedSecret(++made), admin)
  for (let at = 0; at < 50; at++) create()
  const writer = (async () => {
    while (copying) {
      create() // a key and a row of the audit, or neither
      await new Promise(resolve => setImmediate(resolve))
    }
  })()
  await records.backup(place('backup.db')).finally(() => {
    copying = false
  })
  await writer
  expect(made).toBeGreaterThan(50) // the writer had its turns
  expect(statSync(place('backup.db')).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder).filter(name => name.includes('backup'))).toEqual(['backup.db'])

  const restored = await openRecords({ path: place('backup.db') })
  const [keys, audit] = [await allKeys(restored), await wholeAudit(restored)]
  expect(keys.length).toBeGreaterThanOrEqual(50)
  expect(keys.length).toBeLessThanOrEqual(made)
  expect(audit.map(({ subjectId }) => subjectId)).toEqual(keys.map(({ id }) => id))
  expect(keys).toEqual((await allKeys(records)).slice(0, keys.length))
  expect(await restored.settings.get()).toEqual({ adminKeySha256: null, closed: true })
  expect(restored.database.query('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
  restored.close()
})

test('several at once are each whole', async () => {
  fill()
  await records.keys.create(keySettings(), storedSecret(1), admin)
  await Promise.all(['a', 'b', 'c'].map(name => records.backup(place(name))))
  expect(new Set(['a', 'b', 'c'].map(name => Bun.hash(readFileSync(place(name))))).size).toBe(1)
})

test('one at a place that is taken is refused, whatever is there', async () => {
  writeFileSync(place('file'), 'precious')
  writeFileSync(place('empty'), '')
  mkdirSync(place('folder'))
  symlinkSync(place('nowhere'), place('link'))
  for (const name of ['file', 'empty', 'folder', 'link', 'gatehouse.db']) {
    expect(await complaintOf(records.backup(place(name)))).toMatch(new RegExp(`^backup: .*/${name} was not written: it is there already`))
  }
  expect(readFileSync(place('file'), 'utf8')).toBe('precious')
  expect(existsSync(place('nowhere'))).toBe(false)
  const raced = await Promise.allSettled(['same', 'same', 'same'].map(name => records.backup(place(name))))
  expect(raced.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(readdirSync(folder).filter(name => name.includes('part'))).toEqual([])
})

test('one where nothing can be written says why', async () => {
  expect(await complaintOf(records.backup(place('missing/x.db')))).toMatch(/^backup: .*its folder does not exist \(ENOENT\)/)
  expect(await complaintOf(records.backup(place('gatehouse.db/x.db')))).toContain('a file is in the way of its folder')
})

test('one of something that is no database leaves nothing behind', async () => {
  writeFileSync(place('text'), 'hello\n'.repeat(1000))
  expect(await complaintOf(backupFile(place('text'), place('x.db'), new AbortController().signal))).toMatch(
    /^backup: .*x\.db was not written: .*SQLITE_NOTADB/,
  )
  expect(readdirSync(folder).filter(name => name.startsWith('x.db'))).toEqual([])
})

test('one under way when the records are closed is given up and leaves nothing behind', async () => {
  fill()
  const backup = complaintOf(records.backup(place('x.db')))
  // it has come some way
  while (readdirSync(folder).every(name => !name.endsWith('.part'))) await new Promise(resolve => setImmediate(resolve))
  records.close()
  expect(await backup).toBe('backup: given up, because gatehouse stops')
  expect(readdirSync(folder).filter(name => name.startsWith('x.db'))).toEqual([])
  expect(await complaintOf(records.backup(place('x.db')))).toBe('backup: given up, because gatehouse stops')
})
