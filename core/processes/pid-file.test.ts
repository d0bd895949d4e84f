import { describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeMark, withMark } from './mark.ts'
import { readPidFiles, writePidFile } from './pid-file.ts'
import { endLeftovers } from './pid-file-leftovers.ts'
import { startOf } from './process-identity.ts'
import { gone, isAlive } from './testing/alive.ts'

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-run-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}
const about = (mark = makeMark()) => ({ model: 'a/b ../c', mark, port: 8081, command: '/usr/bin/llama-server' })
const silent = () => undefined
/** Something an earlier gatehouse might have left; not our child to collect, so that it is gone when it is killed. */
async function leave(script: string, mark?: string) {
  const env = { PATH: process.env.PATH ?? '' }
  const shell = Bun.spawn(['sh', '-c', `(setsid sh -c 'echo $$; ${script}' &)`], {
    stdout: 'pipe',
    stderr: 'ignore', // whoever is left by a test that fails must not keep our own open
    env: mark === undefined ? env : withMark(env, mark),
  })
  const { value } = await shell.stdout.getReader().read()
  return Number.parseInt(new TextDecoder().decode(value), 10)
}

test('a note is for its owner alone, says all, and is gone in the end', () => {
  using folder = temporaryFolder()
  const run = join(folder.path, 'run')
  const what = about()
  const note = writePidFile(run, what, silent)
  const [name = ''] = readdirSync(run)
  expect(statSync(join(run, name)).mode & 0o777).toBe(0o600)
  const always = { ...what, machine: hostname(), owner: { pid: process.pid, start: startOf(process.pid) as string } }
  expect(readPidFiles(run)[0]?.note).toEqual(always)
  note.started(4711, 'then')
  expect(readPidFiles(run).map(left => left.note)).toEqual([{ ...always, pid: 4711, start: 'then' }])
  note.remove()
  note.remove()
  expect(readdirSync(run)).toEqual([])
})

test('a folder that cannot be written costs the note only', () => {
  using folder = temporaryFolder()
  writeFileSync(join(folder.path, 'file'), '')
  const errors: unknown[] = []
  const note = writePidFile(join(folder.path, 'file'), about(), error => errors.push(error))
  note.started(1, 'x')
  note.remove()
  expect(errors.length).toBeGreaterThan(0)
})

describe('what was left', () => {
  test('is ended with all it has started, and told of', async () => {
    using folder = temporaryFolder()
    const mark = makeMark()
    const leader = await leave('sleep 1000 & wait', mark)
    const stray = await leave(`trap "" TERM; while :; do sleep 0.1; done`, mark)
    writePidFile(folder.path, about(mark), silent).started(leader, startOf(leader))
    const ended = await endLeftovers(folder.path, 200)
    expect(ended.map(({ model, pid }) => [model, pid])).toEqual([['a/b ../c', leader]])
    await gone([leader, stray], 0)
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('is found by its mark when the leader is gone, or was not noted yet', async () => {
    using folder = temporaryFolder()
    const marks = [makeMark(), makeMark()] as const
    const strays = [await leave('exec sleep 1000', marks[0]), await leave('exec sleep 1000', marks[1])]
    writePidFile(folder.path, about(marks[0]), silent)
    writePidFile(folder.path, about(marks[1]), silent).started(2 ** 22 + 1, 'long ago')
    expect(await endLeftovers(folder.path, 200)).toHaveLength(2)
    await gone(strays, 0)
  })

  test('is found by its start when it has thrown its environment away', async () => {
    using folder = temporaryFolder()
    const leader = await leave('exec env -i sleep 1000', makeMark())
    writePidFile(folder.path, about(), silent).started(leader, startOf(leader))
    expect(await endLeftovers(folder.path, 200)).toHaveLength(1)
    await gone([leader], 0)
  })

  test.each([
    ['is somebody else by now', { start: 'another boot+1' }],
    ['ran on another machine', { machine: 'elsewhere' }],
    ['was noted without its start', { start: undefined }],
  ])('and %s is left alone', async (_, change) => {
    using folder = temporaryFolder()
    const innocent = await leave('exec sleep 1000')
    const note = { ...about(), machine: hostname(), pid: innocent, start: startOf(innocent), ...change }
    writeFileSync(join(folder.path, `process-${note.mark}.json`), JSON.stringify(note))
    expect(await endLeftovers(folder.path, 200)).toEqual([])
    expect(isAlive(innocent)).toBe(true)
    expect(readdirSync(folder.path)).toEqual([])
    process.kill(innocent, 'SIGKILL')
  })

  test('by a gatehouse that still runs, beside us in the same folder, is left alone with its note', async () => {
    using folder = temporaryFolder()
    const [mark, house] = [makeMark(), await leave('exec sleep 1000')]
    const theirs = await leave('exec sleep 1000', mark)
    const note = { ...about(mark), machine: hostname(), pid: theirs, start: startOf(theirs), owner: { pid: house, start: startOf(house) } }
    writeFileSync(join(folder.path, `process-${mark}.json`), JSON.stringify(note))
    expect(await endLeftovers(folder.path, 200)).toEqual([])
    expect([isAlive(theirs), readdirSync(folder.path).length]).toEqual([true, 1])
    process.kill(house, 'SIGKILL')
    await gone([house])
    expect(await endLeftovers(folder.path, 200)).toHaveLength(1)
    await gone([theirs], 0)
  })

  test.each([
    ['nothing', ''],
    ['no note', '[1,2]'],
    ['half of one', '{"model":"m","mark":'],
    ['a mark that is in every environment', JSON.stringify({ ...about(''), machine: hostname() })],
    ['our own pid', JSON.stringify({ ...about(), machine: hostname(), pid: process.pid, start: 'not ours' })],
    ['all processes', JSON.stringify({ ...about(), machine: hostname(), pid: -1, start: 'x' })],
  ])('a file with %s does no harm, and is taken away', async (_, text) => {
    using folder = temporaryFolder()
    const innocent = await leave('exec sleep 1000')
    writeFileSync(join(folder.path, 'process-x.json'), text)
    expect(await endLeftovers(folder.path, 50)).toEqual([])
    expect(isAlive(innocent)).toBe(true)
    expect(existsSync(join(folder.path, 'process-x.json'))).toBe(false)
    process.kill(innocent, 'SIGKILL')
  })

  test('is nothing where there is no folder, and other files stay', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'serve.json'), '{}')
    expect(await endLeftovers(folder.path, 50)).toEqual([])
    expect(await endLeftovers(join(folder.path, 'missing'), 50)).toEqual([])
    expect(readdirSync(folder.path)).toEqual(['serve.json'])
  })
})
