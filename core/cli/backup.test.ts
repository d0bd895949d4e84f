/** `gatehouse backup`, while gatehouse serves and while it does not. */

import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { admin, allKeys, keySettings, storedSecret } from '../records/contract/under-test.ts'
import { openRecords } from '../records/sqlite.ts'
import { gatehouseCommand, runGatehouse } from '../testing/gatehouse-process.ts'

setDefaultTimeout(30_000) // each starts processes, perhaps on a busy machine

/** The data folder. */
let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'gatehouse-backup-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

const inData = (name: string) => join(data, name)
const run = (args: string[], files: Record<string, string> = {}) =>
  runGatehouse({ args: ['backup', ...args], files, env: { DATA_DIR: data } })
const complaint = async (args: string[], files?: Record<string, string>) => {
  const { code, stdout, stderr } = await run(args, files)
  expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 1, stdout: '', lines: 2 })
  return stderr
}
/** The names of the keys in a backup. */
const namesIn = async (path: string) => {
  const records = await openRecords({ path })
  const keys = await allKeys(records)
  records.close()
  return keys.map(({ name }) => name)
}
const openFilled = async (path = inData('gatehouse.db')) => {
  const records = await openRecords({ path })
  await records.keys.create(keySettings({ name: 'first' }), storedSecret(1), admin)
  return records
}

describe('a backup', () => {
  test('while nobody serves has everything, for its owner alone', async () => {
    const records = await openFilled()
    records.close()
    const before = readFileSync(inData('gatehouse.db'))
    const { code, stdout, stderr } = await run([inData('copy.db')])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { size, mode } = statSync(inData('copy.db'))
    expect(stdout).toBe(`${inData('copy.db')} has all of ${inData('gatehouse.db')} (${size.toLocaleString('en-US')} bytes)\n`)
    expect(mode & 0o777).toBe(0o600)
    expect(readFileSync(inData('gatehouse.db'))).toEqual(before)
    expect(await namesIn(inData('copy.db'))).toEqual(['first'])
  })

  test('while somebody writes has what was written before it', async () => {
    const records = await openFilled()
    let made = 1
    let copying = true
    const writer = (async () => {
      while (copying) {
        await records.keys.create(keySettings({ name: `key ${++made}` }), storedSecret(made), admin)
        await new Promise(resolve => setImmediate(resolve))
      }
    })()
    const { code, stdout, stderr } = await run([inData('copy.db'), '--json'])
    copying = false
    await writer
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      file: inData('copy.db'),
      bytes: statSync(inData('copy.db')).size,
      database: inData('gatehouse.db'),
    })
    const names = await namesIn(inData('copy.db'))
    expect(names[0]).toBe('first')
    expect(names).toEqual((await allKeys(records)).slice(0, names.length).map(({ name }) => name))
    records.close()
  })

  test('after a kill -9 has what is only in the journal', async () => {
    const records = await openFilled()
    for (const name of ['gatehouse.db', 'gatehouse.db-wal']) writeFileSync(inData(`${name}.left`), readFileSync(inData(name)))
    records.close()
    mkdirSync(inData('killed'))
    for (const name of ['gatehouse.db', 'gatehouse.db-wal'])
      writeFileSync(join(inData('killed'), name), readFileSync(inData(`${name}.left`)))
    const { code } = await runGatehouse({ args: ['backup', inData('copy.db')], env: { DATA_DIR: inData('killed') } })
    expect(code).toBe(0)
    expect(await namesIn(inData('copy.db'))).toEqual(['first'])
  })

  test('goes to where the command is, from where the config says', async () => {
    const records = await openFilled(inData('elsewhere.db'))
    records.close()
    const yaml = `database: { path: ${inData('elsewhere.db')} }\n`
    const { code, stdout } = await run(['copy.db', '-c', 'other.yaml', '--json'], { 'other.yaml': yaml })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ file: expect.stringMatching(/\/copy\.db$/), database: inData('elsewhere.db') })
  })

  test('takes the place of nothing', async () => {
    const records = await openFilled()
    records.close()
    writeFileSync(inData('precious'), 'precious')
    expect(await complaint([inData('precious')])).toBe(
      `gatehouse: backup: ${inData('precious')} was not written: it is there already (EEXIST)\n`,
    )
    expect(await complaint([inData('gatehouse.db')])).toContain('it is there already')
    expect(await complaint([inData('nowhere/copy.db')])).toContain('its folder does not exist')
    expect(readFileSync(inData('precious'), 'utf8')).toBe('precious')
  })

  test('of nothing is none, and makes nothing', async () => {
    expect(await complaint([inData('copy.db')])).toContain(`there is nothing in ${inData('gatehouse.db')} yet`)
    expect(readdirSync(data)).toEqual([])
    writeFileSync(inData('gatehouse.db'), '')
    expect(await complaint([inData('copy.db')])).toContain('there is nothing in')
    expect(readdirSync(data)).toEqual(['gatehouse.db'])
  })

  test('of the database of another program is none', async () => {
    const other = new Database(inData('gatehouse.db'))
    other.run('CREATE TABLE theirs (x)')
    other.close(true)
    const before = readFileSync(inData('gatehouse.db'))
    expect(await complaint([inData('copy.db')])).toContain('is the database of another program, which gatehouse leaves alone')
    expect(readdirSync(data)).toEqual(['gatehouse.db'])
    expect(readFileSync(inData('gatehouse.db'))).toEqual(before)
  })

  test.skipIf(process.platform === 'win32')('that is interrupted leaves nothing behind', async () => {
    const records = await openFilled()
    records.database.run('CREATE TABLE ballast (x)')
    records.database.run(
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) INSERT INTO ballast SELECT randomblob(4000) FROM n',
    )
    records.close()
    const child = Bun.spawn([...gatehouseCommand, 'backup', inData('copy.db')], {
      cwd: data,
      env: { PATH: process.env.PATH ?? '', HOME: data, DATA_DIR: data },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const begun = () => readdirSync(data).some(name => name.endsWith('.part'))
    while (!begun() && child.exitCode === null) await Bun.sleep(1)
    expect(child.exitCode).toBeNull()
    child.kill('SIGINT')
    expect(await new Response(child.stderr).text()).toBe('gatehouse: backup: given up; no file was made\n')
    expect(await child.exited).toBe(1)
    expect(readdirSync(data).filter(name => name.startsWith('copy'))).toEqual([])
  })

  test.each<[string[], string]>([
    [[], 'backup needs the name of a new file: gatehouse backup FILE'],
    [[''], 'backup needs the name of a new file'],
    [['a', 'b'], 'backup writes one file, so "b" is too much'],
    [['a', '-s', 'http://localhost:1'], 'backup copies the database of this machine, so --server is not for it'],
    [['a', '--jsn'], 'backup has no option --jsn; did you mean --json?'],
  ])('%p is one clear line', async (args, line) => {
    expect(await complaint(args)).toContain(line)
    expect(existsSync(inData('a'))).toBe(false)
  })

  test('--help is help', async () => {
    expect((await run(['--help'])).stdout).toStartWith('Usage: gatehouse backup FILE')
  })
})
