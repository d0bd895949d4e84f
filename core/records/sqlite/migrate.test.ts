import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '../../errors.ts'
import { type Database, openDatabase } from '../../sqlite.ts'
import { admin, keySettings, storedSecret } from '../contract/under-test.ts'
import { openRecords } from '../sqlite.ts'
import type { Migration } from './migrate.ts'
import { migrations } from './migrations.ts'
import { applicationId, openFile } from './open-file.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-records-'))
  path = join(folder, 'gatehouse.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const versionOf = (database: Database) => (database.query('PRAGMA user_version').get() as { user_version: number }).user_version
const schemaOf = (database: Database) =>
  database.query("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all()

/** The first steps, by the beginning of their hash. Steps of a release are added here; none is ever changed. */
const fixed: readonly string[] = ['9f41a7581596ef93', '72cecf88350a4475', 'fc469e225af9e407', '8a4c6e031c4ef9b8']

test('steps that files have gone through are as they were', () => {
  const prints = migrations.map(({ sql }) => new Bun.CryptoHasher('sha256').update(sql).digest('hex').slice(0, 16))
  expect(prints.slice(0, fixed.length)).toEqual([...fixed])
})

describe('from each older version', () => {
  const last = migrations.length
  test.each(Array.from({ length: last + 1 }, (_, version) => version))(
    '%d: the same schema as a new file, and what was there',
    async version => {
      const fresh = openFile(join(folder, 'fresh.db'), migrations)
      const old = openFile(path, migrations.slice(0, version))
      expect(versionOf(old)).toBe(version)
      fillOld(old, version)
      old.close(true)
      const records = await openRecords({ path })
      expect(versionOf(records.database)).toBe(last)
      expect(schemaOf(records.database)).toEqual(schemaOf(fresh))
      fresh.close(true)
      await expectOld(records, version)
      await records.keys.create(keySettings(), storedSecret(9), admin)
      await records.usage.add([])
      records.close()
    },
  )
})

/** Rows as the release of that version wrote them. */
function fillOld(database: Database, version: number): void {
  if (version >= 1) {
    database.run("INSERT INTO settings VALUES ('closed', '1')")
    database.run('INSERT INTO audit (at, who, what, "after") VALUES (1000, \'ann\', \'key.create\', \'{"name":"a"}\')')
  }
  if (version >= 2) {
    database.run(`INSERT INTO keys (name, folded_name, prefix, sha256, enabled, quota, quota_period, allowed_ips, allowed_models, allowed_tools, created_at, version)
      VALUES ('A', 'a', 'sk-abcdefg', '${storedSecret(1).sha256}', 1, 5, 'day', '["::1"]', '[]', '[]', 1000, 3)`)
  }
  if (version >= 3) {
    database.run(
      "INSERT INTO models (name, folded_name, backend, enabled, source, created_at, version) VALUES ('M', 'm', 'home', 1, 'sync', 1000, 2)",
    )
  }
  if (version >= 4) database.run("INSERT INTO usage VALUES ('2026-01-01', 1, '', 'M', 'home', 7, 1, 2, 3, 4, 5, 6, 7)")
}

async function expectOld(
  { settings, audit, keys, models, usage }: Awaited<ReturnType<typeof openRecords>>,
  version: number,
): Promise<void> {
  expect((await settings.get()).closed).toBe(version >= 1)
  expect((await audit.list({ limit: 9 })).rows).toMatchObject(version >= 1 ? [{ at: 1000, who: 'ann', after: { name: 'a' } }] : [])
  const key = { id: 1, name: 'A', quota: 5, quotaPeriod: 'day', allowedIps: ['::1'], version: 3, expiresAt: null }
  expect((await keys.list({ limit: 9 })).rows).toMatchObject(version >= 2 ? [key] : [])
  expect((await models.list({ limit: 9 })).rows).toMatchObject(version >= 3 ? [{ id: 1, name: 'M', source: 'sync', version: 2 }] : [])
  const sums = await usage.query({ from: '2026-01-01', to: '2026-01-01', by: ['model'] })
  expect(sums).toMatchObject(version >= 4 ? [{ model: 'M', requests: 7, firstTokens: 7 }] : [])
}

describe('a step', () => {
  const good: Migration = { id: 1, name: 'good', sql: "CREATE TABLE a (x); CREATE TABLE b (y); INSERT INTO a VALUES ('one; two')" }
  const rows = (database: Database) => database.query('SELECT * FROM a').all()

  test('that fails half-way leaves the file as it was, and those before it done', () => {
    const bad: Migration = { id: 2, name: 'bad', sql: 'CREATE TABLE c (x); DELETE FROM a; INSERT INTO nowhere VALUES (1)' }
    expect(() => openFile(path, [good, bad])).toThrow(ConfigError)
    expect(() => openFile(path, [good, bad])).toThrow(
      /^database\.path: .*could not be brought up to date \(step 2, bad\): .*release before can still use it/,
    )
    const database = openFile(path, [good])
    expect(versionOf(database)).toBe(1)
    expect(rows(database)).toEqual([{ x: 'one; two' }])
    expect(schemaOf(database)).toHaveLength(2)
    database.close(true)
    const mended = openFile(path, [good, { id: 2, name: 'mended', sql: 'CREATE TABLE c (x)' }])
    expect(versionOf(mended)).toBe(2)
    mended.close(true)
  })

  test('may rebuild a table that others refer to, but leave no reference to nothing', () => {
    const parents: Migration = {
      id: 2,
      name: 'parents',
      sql: 'CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE k (p REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO k VALUES (1)',
    }
    const rebuild: Migration = {
      id: 3,
      name: 'rebuild',
      sql: 'CREATE TABLE q (id INTEGER PRIMARY KEY, n); INSERT INTO q SELECT id, 5 FROM p; DROP TABLE p; ALTER TABLE q RENAME TO p',
    }
    const database = openFile(path, [good, parents, rebuild])
    expect(database.query('SELECT n FROM p JOIN k ON k.p = p.id').all()).toEqual([{ n: 5 }])
    expect(() => database.run('INSERT INTO k VALUES (2)')).toThrow('FOREIGN KEY')
    database.close(true)
    expect(() => openFile(path, [good, parents, rebuild, { id: 4, name: 'cut', sql: 'DELETE FROM p' }])).toThrow(ConfigError)
  })

  test('numbers have no gaps', () => {
    expect(() => openFile(path, [{ ...good, id: 2 }])).toThrow('numbered 1, 2, 3')
  })
})

test('a newer file stops the start and stays as it is', async () => {
  const later = { id: migrations.length + 1, name: 'later', sql: 'CREATE TABLE later (x)' }
  openFile(path, [...migrations, later]).close(true)
  const before = await Bun.file(path).bytes()
  expect(openRecords({ path })).rejects.toThrow(
    new RegExp(`^database\\.path: .*newer gatehouse \\(its schema is number ${later.id}, this release knows up to ${migrations.length}\\)`),
  )
  expect(await Bun.file(path).bytes()).toEqual(before)
})

test('a file that was killed before its first step is one of ours', async () => {
  const database = openDatabase(path, { create: true })
  database.run(`PRAGMA application_id = ${applicationId}`)
  database.close(true)
  ;(await openRecords({ path })).close()
})
