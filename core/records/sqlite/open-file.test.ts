import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '../../errors.ts'
import { type Database, openDatabase } from '../../sqlite.ts'
import { admin, keySettings, storedSecret } from '../contract/under-test.ts'
import { generateKey } from '../generate-key.ts'
import { openRecords } from '../sqlite.ts'
import { startOpener } from '../testing/start-opener.ts'
import { applicationId, refuseForeign } from './open-file.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-records-'))
  path = join(folder, 'gatehouse.db')
})
afterEach(() => {
  chmodSync(folder, 0o700)
  rmSync(folder, { recursive: true, force: true })
})

const complaintOf = async (work: Promise<{ close(): void }>): Promise<string> => {
  try {
    ;(await work).close()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  throw new Error('nobody complained')
}

/** A file of some other program, such as the one ModelGate leaves behind; `wal` as it is while that runs, or was killed. */
function writeForeign(file: string, wal: boolean): Database {
  const database = openDatabase(file, { create: true })
  database.run(`PRAGMA journal_mode = ${wal ? 'WAL' : 'DELETE'}`)
  database.run('CREATE TABLE api_keys (id INTEGER PRIMARY KEY, name TEXT, key_hash TEXT)')
  database.run("INSERT INTO api_keys (name, key_hash) VALUES ('old', 'fake')")
  return database
}

const contents = (where: string) => Object.fromEntries(readdirSync(where).map(name => [name, readFileSync(join(where, name), 'hex')]))

describe('a new file', () => {
  test('is made with its folder, for its owner alone, marked as ours', async () => {
    const deep = join(folder, 'data', 'deeper', 'modelgate.db')
    const records = await openRecords({ path: deep })
    await records.keys.create(keySettings(), storedSecret(1), admin)
    const modes = ['modelgate.db', 'modelgate.db-wal', 'modelgate.db-shm'].map(
      name => statSync(join(folder, 'data', 'deeper', name)).mode & 0o777,
    )
    expect(modes).toEqual([0o600, 0o600, 0o600])
    expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700)
    expect(readFileSync(deep).readUInt32BE(68)).toBe(applicationId) // as `file` and sqlite.org/fileformat.html have it
    expect(records.warnings).toEqual([])
    records.close()
    records.close()
    expect(readdirSync(join(folder, 'data', 'deeper')).sort()).toEqual(['modelgate.db', 'modelgate.db.lock'])
  })

  test('an empty file is taken for a new one', async () => {
    writeFileSync(path, '')
    const records = await openRecords({ path })
    await records.settings.set({ closed: true }, admin)
    records.close()
    const again = await openRecords({ path })
    expect(await again.settings.get()).toEqual({ adminKeySha256: null, closed: true })
    again.close()
  })

  test('what is written waits for no disk, and the WAL does not stay large', async () => {
    const { database, close } = await openRecords({ path })
    const pragma = (name: string) => Object.values(database.query(`PRAGMA ${name}`).get() as object)[0]
    expect(['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout', 'journal_size_limit'].map(pragma)).toEqual([
      'wal',
      1,
      1,
      50,
      16 * 2 ** 20,
    ])
    close()
  })
})

describe('a file that is not ours', () => {
  test.each([false, true])('is left alone: a database of another program, in WAL mode: %p', async wal => {
    writeForeign(path, wal).close(true)
    const before = contents(folder)
    expect(await complaintOf(openRecords({ path }))).toMatch(
      /^database\.path: .*gatehouse\.db is the database of another program.*database\.path/,
    )
    expect(contents(folder)).toEqual(before)
  })

  test('is left alone with the journal that a crash of its program left', async () => {
    const database = writeForeign(path, true)
    for (const suffix of ['', '-wal', '-shm']) writeFileSync(join(folder, `copy.db${suffix}`), readFileSync(`${path}${suffix}`))
    database.close(true)
    const before = contents(folder)
    expect(Object.keys(before)).toContain('copy.db-wal')
    expect(await complaintOf(openRecords({ path: join(folder, 'copy.db') }))).toContain('another program')
    expect(contents(folder)).toEqual(before)
  })

  test('is left alone while its program works on it, which notices nothing', async () => {
    const database = writeForeign(path, true)
    database.run('BEGIN IMMEDIATE')
    expect(await complaintOf(openRecords({ path }))).toContain('another program')
    database.run("INSERT INTO api_keys (name) VALUES ('next')")
    database.run('COMMIT')
    database.close(true)
  })

  test.each([
    ['a text', 'hello world\n'.repeat(1000)],
    ['a short text', 'x'],
  ])('is left alone: %s', async (_, text) => {
    writeFileSync(path, text)
    expect(await complaintOf(openRecords({ path }))).toMatch(/is no SQLite database|another program/)
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(readdirSync(folder)).toEqual(['gatehouse.db'])
  })

  test('a folder and a pipe are no databases', async () => {
    mkdirSync(path)
    expect(await complaintOf(openRecords({ path }))).toContain('is no SQLite database')
    if (process.platform === 'win32') return
    const pipe = join(folder, 'pipe')
    Bun.spawnSync(['mkfifo', pipe])
    expect(() => refuseForeign(pipe)).toThrow('is no SQLite database')
  })

  test('a file in the way of its folder is named', async () => {
    writeFileSync(join(folder, 'data'), '')
    expect(await complaintOf(openRecords({ path: join(folder, 'data', 'x.db') }))).toMatch(/cannot be used: .*in the way/)
  })

  test('one of ours that is damaged says so', async () => {
    ;(await openRecords({ path })).close()
    const bytes = readFileSync(path)
    bytes.fill(0xff, 100, 4096)
    writeFileSync(path, bytes)
    expect(await complaintOf(openRecords({ path }))).toContain('damaged; put a backup in its place')
  })
})

describe('rights', () => {
  const names: Readonly<Record<string, readonly [file: number, where: number]>> = {
    'a file that may not be written': [0o444, 0o777],
    'a file that may not be read': [0o000, 0o777],
    'a folder that may not be written': [0o666, 0o555],
  }
  test.skipIf(process.platform === 'win32').each(Object.entries(names))('%s is named, and nothing changes', async (_, [file, where]) => {
    ;(await openRecords({ path })).close()
    rmSync(`${path}.lock`)
    const before = readFileSync(path)
    chmodSync(path, file)
    chmodSync(folder, where)
    await using opener = await startOpener(path, 'nobody')
    expect(opener.said).toMatch(/^ConfigError: database\.path: .*(may not (be )?(written|write)|cannot be opened|this user may not)/)
    chmodSync(path, 0o600)
    chmodSync(folder, 0o700)
    expect(readFileSync(path)).toEqual(before)
  })
})

describe('two at once', () => {
  test('the second process is refused, also by another name, until the first ends in whatever way', async () => {
    const first = await startOpener(path)
    expect(first.said).toBe('open')
    const link = join(folder, 'link.db')
    symlinkSync(path, link)
    for (const name of [path, link]) {
      expect(await complaintOf(openRecords({ path: name }))).toMatch(/^database\.path: .*in use by another gatehouse/)
    }
    await first.kill()
    const records = await openRecords({ path: link })
    await using second = await startOpener(path)
    expect(second.said).toContain('in use by another gatehouse')
    records.close()
    await using third = await startOpener(path)
    expect(third.said).toBe('open')
    await third.leave()
    expect(existsSync(`${path}-wal`)).toBe(false)
  })

  test('a second one in the same process is refused, and the first keeps its locks', async () => {
    const records = await openRecords({ path })
    expect(await complaintOf(openRecords({ path }))).toContain('in use')
    refuseForeign(path) // reads the file itself
    await using other = await startOpener(path)
    expect(other.said).toContain('in use')
    // without our lock on the database a reader that leaves would take the WAL away
    const look =
      "const { Database } = require('bun:sqlite'); const d = new Database(process.argv[1]); d.query('SELECT * FROM keys').all(); d.close(true)"
    expect(Bun.spawnSync([process.execPath, '-e', look, path]).exitCode).toBe(0)
    expect(existsSync(`${path}-wal`)).toBe(true)
    await records.keys.create(keySettings(), storedSecret(1), admin)
    expect((await records.keys.list({ limit: 1 })).total).toBe(1)
    records.close()
  })
})

test('goes on with a warning where the file system has no locks', async () => {
  const records = await openRecords({ path, lock: async () => 'unsupported' })
  expect(records.warnings).toEqual([
    expect.stringMatching(/^database\.path: .*has no locks, so nothing keeps a second gatehouse from using it too$/),
  ])
  records.close()
})

test('when no room is left, a change is refused as a whole, and goes through later', async () => {
  const records = await openRecords({ path })
  const { id } = await records.keys.create(keySettings({ name: 'small' }), storedSecret(1), admin)
  records.database.run(
    `PRAGMA max_page_count = ${(records.database.query('PRAGMA page_count').get() as { page_count: number }).page_count}`,
  )
  const name = 'large'.repeat(20_000)
  expect(() => records.keys.update(id, { name }, admin)).toThrow('full')
  expect(() => records.keys.create(keySettings({ name }), storedSecret(2), admin)).toThrow('full')
  expect(await records.keys.list({ limit: 5 })).toMatchObject({ total: 1, rows: [{ name: 'small', version: 1 }] })
  expect((await records.audit.list({ limit: 5 })).rows).toHaveLength(1)
  records.database.run('PRAGMA max_page_count = 1000000')
  expect(await records.keys.update(id, { name }, admin, 1)).toMatchObject({ version: 2 })
  records.close()
})

test.skipIf(process.platform === 'win32')(
  'a file system that takes no more bytes costs the change that did not fit, and none before',
  async () => {
    // larger files are refused as a full disk refuses them, in the middle of a write
    const script = `trap '' XFSZ; ulimit -f 4096; exec "$0" "$@"`
    const child = Bun.spawnSync(['sh', '-c', script, process.execPath, join(import.meta.dir, '../testing/filler.ts'), path], {
      stderr: 'inherit',
    })
    const { made, code, total } = JSON.parse(child.stdout.toString())
    expect(code).toMatch(/^SQLITE_(FULL|IOERR)/)
    expect(made).toBeGreaterThan(5)
    expect(total).toBe(made)
    const records = await openRecords({ path })
    expect((await records.keys.list({ limit: 1 })).total).toBe(made)
    expect((await records.audit.list({ limit: 10_000 })).rows).toHaveLength(made)
    expect(records.database.query('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
    await records.keys.create(keySettings(), storedSecret(999_999), admin)
    records.close()
  },
)

test('the secret of a key is in none of the files', async () => {
  const records = await openRecords({ path })
  const { secret, ...stored } = generateKey()
  const next = generateKey()
  const { id } = await records.keys.create(keySettings(), stored, admin)
  await records.keys.rotate(id, { sha256: next.sha256, prefix: next.prefix }, Date.now() + 60_000, admin)
  await records.backup(join(folder, 'backup.db'))
  const all = Buffer.concat(readdirSync(folder).map(name => readFileSync(join(folder, name)))).toString('latin1')
  expect(all).toContain(stored.sha256)
  for (const each of [secret, next.secret]) {
    for (let at = 0; at + 12 <= each.length; at++) expect(all).not.toContain(each.slice(at, at + 12))
  }
  records.close()
})
