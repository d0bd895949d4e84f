import { Database } from 'bun:sqlite'
import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { randomOf } from '../../testing/random.ts'
import { isAnswerOf, keyOf, lengthOf } from '../testing/answers.ts'
import { openForTest } from '../testing/open-sqlite.ts'

const root = mkdtempSync(join(tmpdir(), 'gatehouse-shelf-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0
const newPath = () => {
  const folder = join(root, String(++folders))
  mkdirSync(folder)
  return join(folder, 'cache.db')
}

/** Nothing is kept, nothing is thrown. */
async function expectNothingKept(on: ReturnType<typeof openForTest>) {
  on.set('a')
  await on.shelf.flush()
  expect(on.has('a')).toBe(false)
  expect(on.shelf.fresh('m')).toBe(true)
  await on.shelf.clear('m')
  await on.shelf.clear()
  expect(on.has('a')).toBe(false)
}

/** It is kept, and still there after a restart. */
async function expectKept(path: string, clock = { ms: 1_700_000_000_000 }) {
  {
    await using on = openForTest(path, { clock })
    on.set('kept', 1000, 7)
  }
  await using on = openForTest(path, { clock })
  expect(isAnswerOf(on.get('kept'), 1000, 7)).toBe(true)
  expect(on.lines).toEqual([])
}

describe('a file that is not ours', () => {
  const foreign = {
    'somebody else’s database': (path: string) => {
      using database = new Database(path)
      database.run('PRAGMA journal_mode = WAL')
      database.run('CREATE TABLE answers (id INTEGER PRIMARY KEY, text TEXT)')
      database.run("INSERT INTO answers VALUES (1, 'dear')")
    },
    'one with an application id': (path: string) => {
      using database = new Database(path)
      database.run('PRAGMA application_id = 77')
      database.run('CREATE TABLE t (id INTEGER)')
    },
  }
  test.each(Object.entries(foreign))('%s is left alone, byte for byte', async (_, make) => {
    const path = newPath()
    make(path)
    const [before, beside] = [readFileSync(path), readdirSync(dirname(path))]
    {
      await using on = openForTest(path)
      await expectNothingKept(on)
      on.clock.ms += 61_000
      await expectNothingKept(on)
      expect(on.lines).toEqual([
        {
          level: 'warn',
          message: 'The answers of the cache cannot be kept on disk; memory alone has them',
          path,
          code: 'foreign',
          reason: 'it holds something else than the answers of a cache',
        } as never,
      ])
    }
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(dirname(path))).toEqual(beside)
  })

  test('nor is a folder', async () => {
    const path = newPath()
    mkdirSync(path)
    await using on = openForTest(path)
    await expectNothingKept(on)
    expect(on.lines.map(({ code }) => code)).toEqual(['foreign'])
  })
})

describe('a file of ours', () => {
  test.each([
    ['text', Buffer.from('these are not the answers you are looking for'.repeat(10))],
    ['a few bytes', Buffer.from('SQLite')],
    ['zeros', Buffer.alloc(40_960)],
  ])('that holds %s is put aside', async (_, content) => {
    const path = newPath()
    for (let round = 0; round < 2; round++) {
      writeFileSync(path, content)
      writeFileSync(`${path}-wal`, 'left behind')
      await using on = openForTest(path)
      on.set('a')
      await on.shelf.flush()
      expect(on.has('a')).toBe(true)
      expect(on.lines).toHaveLength(1)
      expect(on.lines[0]?.message).toBe('The kept answers of the cache cannot be read; they are put aside and collected anew')
      expect(readFileSync(`${path}.damaged`).equals(content)).toBe(true)
    }
    await expectKept(path)
  })

  test('that is empty is filled', async () => {
    const path = newPath()
    writeFileSync(path, '')
    await expectKept(path)
  })

  test('of another version is made anew', async () => {
    const path = newPath()
    await expectKept(path)
    {
      using database = new Database(path)
      database.run('PRAGMA user_version = 99')
    }
    await using on = openForTest(path)
    expect(on.has('kept')).toBe(false)
    await on.shelf.close()
    await expectKept(path)
  })

  test('whose table is gone is put aside', async () => {
    const path = newPath()
    await expectKept(path)
    {
      using database = new Database(path)
      database.run('DROP TABLE pieces')
    }
    {
      await using on = openForTest(path)
      expect(on.lines.map(({ code }) => code)).toEqual(['damaged'])
    }
    await expectKept(path)
  })

  test('that was not finished when the process was killed is made anew', async () => {
    const path = newPath()
    writeFileSync(`${path}.new`, 'half')
    await expectKept(path)
    expect(existsSync(`${path}.new`)).toBe(false)
  })

  test('with wrong bytes anywhere gives right answers or none, and is replaced once that is seen', async () => {
    const good = newPath()
    const answers = Array.from({ length: 60 }, (_, at) => at)
    {
      await using on = openForTest(good)
      for (const at of answers) on.set(at, lengthOf(at), at)
    }
    const size = readFileSync(good).length
    const random = randomOf(3)
    let missing = 0
    for (let round = 0; round < 60; round++) {
      const path = newPath()
      copyFileSync(good, path)
      const bytes = readFileSync(path)
      // also where the tables begin, where it hurts most
      for (let flip = 0; flip < 1 + (round % 20); flip++) {
        bytes[72 + Math.floor(random() * (round % 2 ? 60_000 : size - 72))] = Math.floor(random() * 256)
      }
      if (round % 5 === 0) bytes.fill(0, 4096 * (1 + (round % 9)), 4096 * (2 + (round % 9)))
      writeFileSync(path, round % 7 === 0 ? bytes.subarray(0, Math.floor(size * random())) : bytes)
      await using on = openForTest(path)
      const check = () => {
        for (const at of answers) {
          const found = on.get(at)
          if (found && !isAnswerOf(found, lengthOf(at), at)) throw new Error(`a wrong answer in round ${round}`)
          if (!found) missing++
        }
      }
      check()
      for (const at of answers) on.shelf.touch(keyOf(at))
      for (let step = 0; step < 10; step++) {
        on.set(`new ${step}`, 5000, step)
        await on.shelf.flush()
        on.clock.ms += 61_000
      }
      check()
      for (let step = 0; step < 10; step++) {
        const found = on.get(`new ${step}`)
        if (found && !isAnswerOf(found, 5000, step)) throw new Error(`a wrong answer in round ${round}`)
      }
      await on.shelf.clear('m')
      await on.shelf.clear()
      on.clock.ms += 61_000
      on.set('last')
      await on.shelf.flush()
      expect(on.has('last')).toBe(true)
    }
    expect(missing).toBeGreaterThan(100)
  }, 60_000)
})

describe('where nothing can be written', () => {
  test.each([
    ['no folder', (path: string) => join(path, 'missing', 'cache.db')],
    [
      'a file for a folder',
      (path: string) => {
        writeFileSync(path, '')
        return join(path, 'cache.db')
      },
    ],
  ])('because of %s: a warning, and nothing kept', async (_, prepare) => {
    await using on = openForTest(prepare(newPath()))
    await expectNothingKept(on)
    on.clock.ms += 61_000
    await expectNothingKept(on)
    expect(on.lines.map(({ level, reason }) => [level, reason])).toEqual([['warn', 'it can be neither made nor written there']])
  })

  test('it is tried again after a minute', async () => {
    const folder = join(newPath(), 'later')
    await using on = openForTest(join(folder, 'cache.db'))
    await expectNothingKept(on)
    mkdirSync(folder, { recursive: true })
    await expectNothingKept(on)
    on.clock.ms += 61_000
    on.set('a')
    await on.shelf.flush()
    expect(on.has('a')).toBe(true)
    expect(on.lines).toHaveLength(1)
  })

  test.skipIf(process.getuid?.() === 0 || process.platform === 'win32')('because it may not: the same', async () => {
    const path = newPath()
    chmodSync(dirname(path), 0o500)
    await using on = openForTest(path)
    await expectNothingKept(on)
    expect(on.lines.map(({ level, reason }) => [level, reason])).toEqual([['warn', 'it can be neither made nor written there']])
    chmodSync(dirname(path), 0o700)
  })

  test('because another one has it: the same, until it is let go', async () => {
    const path = newPath()
    const first = openForTest(path)
    first.set('a')
    await first.shelf.flush()
    await using second = openForTest(path)
    second.set('b')
    await second.shelf.flush()
    expect(second.has('b')).toBe(false)
    expect(second.lines.map(({ level, reason }) => [level, reason])).toEqual([['warn', 'another process uses it']])
    expect(first.has('a')).toBe(true)
    first.set('c')
    await first.shelf.close()
    second.clock.ms += 1000
    second.set('b')
    await second.shelf.flush()
    expect(['a', 'b', 'c'].filter(second.has)).toEqual(['a', 'b', 'c'])
  })
})

/** What `crowded.ts` says. */
interface Crowded {
  readonly crowded: {
    readonly lines: readonly { level: string; reason: string }[]
    readonly found: Record<'whole' | 'missing' | 'wrong', number>
  }
  readonly later: number
  readonly cleared: Record<'whole' | 'missing' | 'wrong', number>
  readonly afterwards: readonly string[]
}

const script = join(import.meta.dir, '..', 'testing', 'crowded.ts')
const inShell = (...lines: readonly string[]) => ['sh', '-c', lines.join(' && '), 'sh', process.execPath, script]
/** Of 2 MiB, for the process alone. */
const smallDisk = (path: string) => [
  'unshare',
  '-rm',
  ...inShell(`mount -t tmpfs -o size=2m none '${dirname(path)}'`, `exec "$1" "$2" '${path}'`),
]
/** No file beyond a megabyte, and no signal for one who tries. */
const shortFiles = (path: string) => inShell("trap '' XFSZ", 'ulimit -f 2048', `exec "$1" "$2" '${path}'`)
const hasMounts =
  Bun.which('unshare') !== null &&
  Bun.spawnSync(['unshare', '-rm', 'sh', '-c', `mount -t tmpfs -o size=2m none '${dirname(newPath())}'`]).exitCode === 0

describe('a full disk', () => {
  test.skipIf(!hasMounts)('a warning once, what is there can still be read, and a clear makes room', async () => {
    const { crowded, later, cleared, afterwards } = await run(smallDisk(newPath()))
    expect(crowded.lines).toEqual([expect.objectContaining({ level: 'warn', reason: 'the disk is full' })])
    expect(crowded.found.whole).toBeGreaterThan(5)
    expect(crowded.found).toMatchObject({ wrong: 0, missing: 100 - crowded.found.whole })
    expect(later).toBe(1)
    expect(cleared).toEqual({ whole: 0, missing: 100, wrong: 0 })
    expect(afterwards).toEqual(['whole', 'whole'])
  })

  test.skipIf(process.platform === 'win32')('files that may not grow: a warning once, and a clear makes room', async () => {
    const { crowded, later, cleared, afterwards } = await run(shortFiles(newPath()))
    expect(crowded.lines).toEqual([expect.objectContaining({ level: 'warn', reason: 'the disk cannot be read or written' })])
    expect(crowded.found.wrong).toBe(0)
    expect(later).toBeLessThanOrEqual(2) // some could be written meanwhile, so that it is news again
    expect(cleared).toEqual({ whole: 0, missing: 100, wrong: 0 })
    expect(afterwards).toEqual(['whole', 'whole'])
  })
})

async function run(command: readonly string[]): Promise<Crowded> {
  const child = Bun.spawn([...command], { stdout: 'pipe', stderr: 'inherit' })
  const output = await child.stdout.text()
  await child.exited
  return JSON.parse(output)
}
