import { afterEach, beforeEach, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readDataFolder } from '../../data-folder/read.ts'
import { writeStarts } from '../../data-folder/starts.ts'
import { claimDataFolder } from '../../data-folder.ts'
import { checkDataFolder } from './data-folder.ts'

let parent: string
let folder: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'gatehouse-doctor-'))
  folder = join(parent, 'data')
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

const now = Date.parse('2026-01-02T04:00:00Z')
const look = async (path = folder) =>
  checkDataFolder(path, await readDataFolder(path), now).map(
    ({ status, message, fix }) => `${status}: ${message.replaceAll(parent, 'CWD')}${fix ? ` → ${fix.replaceAll(parent, 'CWD')}` : ''}`,
  )
const crashes = ['03:58:00', '03:58:10', '03:58:20'].map(time => ({ startedAt: `2026-01-02T${time}.000Z` }))

test('a folder that is not there yet, and one that cannot be made', async () => {
  expect(await look()).toEqual(['ok: CWD/data will be made at the first start'])
  writeFileSync(folder, '')
  expect(await look()).toEqual([expect.stringMatching(/^problem: CWD\/data cannot be used: CWD\/data is a file → .*DATA_DIR$/)])
  expect((await look(join(folder, 'below')))[0]).toStartWith('problem: CWD/data/below cannot be used: CWD/data is a file')
})

test.skipIf(process.platform !== 'linux')('a folder that cannot be made, whatever the rights say', async () => {
  expect(await look('/proc/gatehouse/data')).toEqual([
    expect.stringMatching(/^problem: \/proc\/gatehouse\/data cannot be used: .*\/proc \(E[A-Z]+\) → .*DATA_DIR$/),
  ])
  expect((await look(join(parent, 'x'.repeat(300))))[0]).toContain('its path is too long (ENAMETOOLONG)')
})

test('nothing is left behind, and nothing is made', async () => {
  await look()
  expect(readdirSync(parent)).toEqual([])
  mkdirSync(folder)
  await look()
  expect(readdirSync(folder)).toEqual([])
})

test('who runs there', async () => {
  const claimed = await claimDataFolder(folder)
  claimed.announce({ host: '127.0.0.1', port: 4321 })
  expect(await look()).toEqual([expect.stringMatching(/^ok: CWD\/data; gatehouse runs there: process \d+ since .*port 4321$/)])
  claimed.release()
  expect(await look()).toEqual(['ok: CWD/data; no gatehouse runs there'])
})

test.skipIf(process.platform === 'win32')('rights that let others in', async () => {
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o755)
  expect((await look())[1]).toBe('warning: CWD/data is open to other users of this machine (mode 755) → chmod 700 CWD/data')
})

test('a run that was killed', async () => {
  mkdirSync(join(folder, 'run'), { recursive: true, mode: 0o700 })
  writeStarts(join(folder, 'run'), crashes.slice(0, 1))
  expect((await look()).slice(1)).toEqual([
    expect.stringMatching(/^warning: the run that started 2026-01-02T03:58:00.000Z did not end cleanly → the log/),
  ])
})

test('a crash loop, over or not', async () => {
  mkdirSync(join(folder, 'run'), { recursive: true, mode: 0o700 })
  writeStarts(join(folder, 'run'), crashes)
  const text = 'crash loop: gatehouse ended 3 times within 1 minute without being stopped'
  expect((await look()).slice(1)).toEqual([expect.stringContaining(`problem: ${text}; the last start was 2026-01-02T03:58:20.000Z → `)])
  const start = (time: string) => claimDataFolder(folder, { now: () => Date.parse(`2026-01-02T${time}Z`) })
  const fresh = await start('03:58:30')
  expect((await look()).slice(1)).toEqual([expect.stringContaining(`problem: ${text}`)])
  fresh.release() // stopped, not crashed
  expect((await look()).slice(1)).toEqual([expect.stringContaining(`warning: ${text}, before the last start`)])
  writeStarts(
    join(folder, 'run'),
    crashes.map(({ startedAt }) => ({ startedAt: startedAt.replace('T03', 'T02') })),
  )
  const steady = await start('02:58:30')
  expect((await look()).slice(1)).toEqual([expect.stringContaining(`warning: ${text}, before the last start`)])
  steady.release()
})
