import { afterAll, describe, expect, test } from 'bun:test'
import {
  appendFileSync,
  existsSync,
  lstatSync,
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
import type { Logger } from 'gatehouse'
import { capEntries, cutWithDots } from './entries.ts'
import { fileNameOf, plainNameOf } from './file-names.ts'
import { readJson } from './json-file.ts'
import { type Memory, openMemory } from './memory.ts'
import { createFileQueue } from './queue.ts'
import { readRegular } from './regular-file.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const limits = { pinnedMax: 3, recentMax: 4, maxEntryChars: 10 }

async function open(prepare: (folder: string) => void = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-memory-'))
  folders.push(folder)
  prepare(folder)
  const warnings: Record<string, unknown>[] = []
  const log = { warn: (fields: Record<string, unknown>) => warnings.push(fields) } as unknown as Logger
  let clock = Date.parse('2026-01-01T00:00:00Z')
  const memory = await openMemory({ folder: join(folder, 'memory'), limits, queue: createFileQueue(), log, now: () => clock++ })
  const user = (name: string) => join(folder, 'memory', 'users', name)
  return { folder, memory: memory as Memory, opened: memory, warnings, user, system: join(folder, 'memory', 'system.json') }
}

const json = (file: string) => JSON.parse(readFileSync(file, 'utf8'))

test('what is written is read again, in the shape LlamaGate has', async () => {
  const { memory, user } = await open()
  expect(await memory.users.read('bob')).toBeUndefined()
  await memory.users.write('bob', { pinned: ['likes tea'], tags: ['vip'] })
  expect(json(user('bob.json'))).toEqual({
    user_id: 'bob',
    updated_at: '2026-01-01T00:00:00.000Z',
    pinned: ['likes tea'],
    recent: [],
    tags: ['vip'],
  })
  expect(statSync(user('bob.json')).mode & 0o777).toBe(0o600)
  const { ino } = statSync(user('bob.json'))
  await memory.users.write('bob', { recent: ['asked'] })
  expect(statSync(user('bob.json')).ino).not.toBe(ino) // another file took its place, whole
  expect(await memory.users.read('bob')).toMatchObject({ pinned: ['likes tea'], recent: ['asked'], tags: ['vip'] })
  expect(await memory.users.forget('bob')).toBe(true)
  expect(await memory.users.forget('bob')).toBe(false)
  expect(await memory.users.read('bob')).toBeUndefined()
})

test('the newest entries stay, and characters are never halved', async () => {
  const { memory, user } = await open(folder => mkdirSync(join(folder, 'memory', 'users'), { recursive: true }))
  const written = await memory.users.write('bob', { pinned: ['1', '2', '3', '4', '🙂'.repeat(12)], recent: ['a', ' ', 'b'] })
  expect(written.pinned).toEqual(['3', '4', '🙂'.repeat(10)])
  expect(written.recent).toEqual(['a', 'b'])
  writeFileSync(user('eve.json'), JSON.stringify({ pinned: ['1', 2, '3', null, '4', '5'], recent: 'none', tags: {} }))
  expect(await memory.users.read('eve')).toEqual({ user_id: 'eve', pinned: ['3', '4', '5'], recent: [], tags: [] })
  expect(json(user('eve.json')).pinned).toHaveLength(6) // reading changes nothing
})

test('every id has a file of its own, and none outside of the folder', async () => {
  const { memory, folder, user } = await open()
  const ids = [
    'a/x',
    'b/x',
    'x',
    '../x',
    '..',
    '.',
    '.x',
    'a\\x',
    'Bob',
    'bob',
    'BOB',
    'bÖb',
    'b%C3%96b',
    'con',
    'con.x',
    'a b',
    'a\0b',
    '🙂',
    'a@b.c',
    '%',
  ]
  await Promise.all(ids.map(id => memory.users.write(id, { pinned: [`i${ids.indexOf(id)}`] })))
  const names = readdirSync(user('.'))
  expect(new Set(names.map(name => name.toLowerCase())).size).toBe(ids.length)
  expect(names.every(name => /^[a-z0-9_@%-][A-Za-z0-9_.@%-]*\.json$/.test(name))).toBe(true)
  expect(readdirSync(folder)).toEqual(['memory'])
  for (const id of ids) expect((await memory.users.read(id))?.pinned).toEqual([`i${ids.indexOf(id)}`])
  expect(fileNameOf('bob')).toBe('bob.json')
  expect(fileNameOf('')).toBeUndefined()
  expect(fileNameOf('x'.repeat(300))).toBeUndefined()
  expect(fileNameOf('\ud800')).toBeUndefined()
  expect(await memory.users.read('x'.repeat(300))).toBeUndefined()
})

test("LlamaGate's files are read under the names it gave them; the first change takes them over", async () => {
  const { memory, user } = await open()
  writeFileSync(user('Bob Smith.json'), JSON.stringify({ user_id: 'Bob Smith', pinned: ['old'], mood: 'good' }))
  expect((await memory.users.read('Bob Smith'))?.pinned).toEqual(['old'])
  expect(plainNameOf('Bob')).toBe('Bob.json')
  for (const id of ['%42ob', 'a/Bob', '../Bob', '.Bob']) expect(plainNameOf(id)).toBeUndefined()
  await memory.users.write('Bob Smith', { tags: ['t'] })
  expect(existsSync(user('Bob Smith.json'))).toBe(false)
  expect(json(user('%42ob%20%53mith.json'))).toMatchObject({ pinned: ['old'], tags: ['t'], mood: 'good' })
  // an id that reads like the encoded name is somebody else
  expect(await memory.users.read('%42ob%20%53mith')).toBeUndefined()
})

test('a file that cannot be read is ignored, told of once, and put aside before it is replaced', async () => {
  const { memory, user, warnings } = await open()
  writeFileSync(user('bob.json'), '{"pinned": ["a",]}')
  for (let i = 0; i < 3; i++) expect(await memory.users.read('bob')).toBeUndefined()
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatchObject({ file: user('bob.json'), reason: 'it is no valid JSON' })
  expect(await memory.users.write('bob', { pinned: ['new'] })).toMatchObject({ pinned: ['new'] })
  const aside = readdirSync(user('.')).find(name => name.startsWith('bob.json.broken-')) as string
  expect(readFileSync(user(aside), 'utf8')).toBe('{"pinned": ["a",]}')
  for (const content of ['[]', '"x"', 'null', '', ' '.repeat(5 * 1024 * 1024)]) {
    writeFileSync(user('odd.json'), content)
    expect(await memory.users.read('odd')).toBeUndefined()
  }
  writeFileSync(user('bom.json'), '\uFEFF{"pinned":["x"]}')
  expect((await memory.users.read('bom'))?.pinned).toEqual(['x'])
})

describe.skipIf(process.platform === 'win32')('what is no regular file is neither read nor waited for', () => {
  const pipe = async (file: string) => expect(await Bun.spawn(['mkfifo', file]).exited).toBe(0)
  const odd = {
    'a pipe': pipe,
    'a link to a device without end': async (file: string) => symlinkSync('/dev/zero', file),
    'a link to a file elsewhere': async (file: string) => {
      const elsewhere = `${file}.elsewhere`
      writeFileSync(elsewhere, '{"pinned":["not for here"]}')
      symlinkSync(elsewhere, file)
    },
    'a link to nothing': async (file: string) => symlinkSync('/nowhere/at/all', file),
    'a folder': async (file: string) => void mkdirSync(file),
  }

  test.each(Object.entries(odd))('%s', async (_, make) => {
    const { memory, user, system, warnings } = await open()
    await make(user('bob.json'))
    await make(system)
    expect(await memory.users.read('bob')).toBeUndefined()
    expect(await memory.status()).toEqual({ user_count: 0, session_count: 0, total_size_bytes: 0 })
    await memory.system.update({ capabilities: {} })
    expect(lstatSync(system).isFile()).toBe(false)
    expect(warnings.map(({ reason }) => String(reason))).toEqual([
      expect.stringMatching(/^it is (no regular file|a symbolic link, and links are not followed)$/),
      expect.stringMatching(/^it is (no regular file|a symbolic link, and links are not followed)$/),
    ])
    expect((await memory.users.write('bob', { pinned: ['mine'] })).pinned).toEqual(['mine'])
    expect(lstatSync(user('bob.json')).isFile()).toBe(true)
    expect(readdirSync(user('.')).some(name => name.startsWith('bob.json.broken-'))).toBe(true)
    await memory.close()
  })

  test("nor is a link under LlamaGate's name; forgetting removes the link and not what it leads to", async () => {
    const { memory, folder, user } = await open()
    const elsewhere = join(folder, 'Bob.json')
    writeFileSync(elsewhere, '{"pinned":["not for here"]}')
    symlinkSync(elsewhere, user('Bob.json'))
    symlinkSync(elsewhere, user('eve.json'))
    for (const id of ['Bob', 'eve']) {
      expect(await memory.users.read(id)).toBeUndefined()
      expect(await memory.users.forget(id)).toBe(true)
    }
    expect(readdirSync(user('.'))).toEqual([])
    expect(readFileSync(elsewhere, 'utf8')).toContain('not for here')
  })

  test('not even one that took the place of a file that was looked at', async () => {
    const { user } = await open()
    await pipe(user('pipe'))
    expect(await readRegular(user('pipe'), 100)).toEqual({ reason: 'it is no regular file' })
    expect(await readRegular('/dev/zero', 100)).toEqual({ reason: 'it is no regular file' })
    symlinkSync('/dev/zero', user('link'))
    expect(await readRegular(user('link'), 100).catch(({ code }) => code)).toBe('ELOOP')
  })
})

test('a file is read up to 4 MiB', async () => {
  const { user } = await open()
  const file = user('bob.json')
  writeFileSync(file, ' '.repeat(4 * 1024 * 1024))
  expect(await readJson(file)).toEqual({ state: 'broken', reason: 'it is no valid JSON' })
  appendFileSync(file, '{}')
  expect(await readJson(file)).toEqual({ state: 'broken', reason: 'it is larger than 4 MiB' })
})

test.skipIf(process.platform !== 'linux')('a file that says it is empty is read no further either', async () => {
  expect(statSync('/proc/self/maps').size).toBe(0)
  expect(await readRegular('/proc/self/maps', 100)).toMatchObject({ reason: expect.stringContaining('larger than') })
})

test('many writers at once: every list is whole and the last one stands', async () => {
  const { memory, user } = await open()
  const writes = Array.from({ length: 50 }, (_, i) => memory.users.write('bob', i % 2 ? { pinned: [`p${i}`] } : { recent: [`r${i}`] }))
  await Promise.all(writes)
  expect(await memory.users.read('bob')).toMatchObject({ pinned: ['p49'], recent: ['r48'] })
  expect(readdirSync(user('.'))).toEqual(['bob.json'])
})

test('system.json: what is new is written, what others wrote stays, and what cannot be read is left alone', async () => {
  const { memory, system, warnings } = await open()
  await memory.system.update({ capabilities: { mcp_enabled: false } })
  const first = json(system)
  expect(first).toEqual({ notes: [], capabilities: { mcp_enabled: false }, updated_at: expect.any(String) })
  await memory.system.update({ capabilities: { mcp_enabled: false } })
  expect(json(system)).toEqual(first)
  writeFileSync(system, JSON.stringify({ ...first, notes: ['mine'] }))
  await memory.system.update({ last_models_snapshot: { models: [] } })
  expect(json(system)).toMatchObject({ notes: ['mine'], capabilities: { mcp_enabled: false }, last_models_snapshot: { models: [] } })
  writeFileSync(system, 'mine {')
  await memory.system.update({ capabilities: {} })
  expect(readFileSync(system, 'utf8')).toBe('mine {')
  expect(warnings).toHaveLength(1)
})

test('the status counts files and bytes, and makes nothing', async () => {
  const { memory, folder, user } = await open()
  expect(await memory.status()).toEqual({ user_count: 0, session_count: 0, total_size_bytes: 0 })
  writeFileSync(user('a.json'), '{}')
  writeFileSync(user('a.json.broken-1'), 'xxxx')
  writeFileSync(join(folder, 'memory', 'sessions', 's.json'), '{"a":1}')
  await memory.system.update({ capabilities: {} })
  const status = await memory.status()
  expect(status).toMatchObject({ system_updated_at: '2026-01-01T00:00:00.000Z', user_count: 1, session_count: 1 })
  expect(status.total_size_bytes).toBe(9 + statSync(join(folder, 'memory', 'system.json')).size)
  rmSync(join(folder, 'memory'), { recursive: true })
  expect(await memory.status()).toEqual({ user_count: 0, session_count: 0, total_size_bytes: 0 })
  expect(existsSync(join(folder, 'memory'))).toBe(false)
})

test('a folder that cannot be made turns the memory off, with a warning', async () => {
  const { opened, warnings } = await open(folder => writeFileSync(join(folder, 'memory'), 'a file'))
  expect(opened).toBeUndefined()
  expect(warnings).toHaveLength(1)
})

test('cutting counts characters', () => {
  expect(cutWithDots('🙂'.repeat(80), 80)).toBe('🙂'.repeat(80))
  expect(cutWithDots('🙂'.repeat(81), 80)).toBe(`${'🙂'.repeat(77)}...`)
  expect(capEntries(['é'.repeat(11)], 1, 10)).toEqual(['é'.repeat(10)])
  expect(capEntries('text', 1, 10)).toEqual([])
})
