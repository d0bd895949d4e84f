import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalDoor, readLocalDoor } from './data-folder/local-door.ts'
import { readDataFolder } from './data-folder/read.ts'
import { startClaimer } from './data-folder/testing/start-claimer.ts'
import { claimDataFolder } from './data-folder.ts'
import { ConfigError } from './errors.ts'

let parent: string
let folder: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'gatehouse-data-'))
  folder = join(parent, 'data')
})
afterEach(() => {
  chmodSync(parent, 0o700)
  rmSync(parent, { recursive: true, force: true })
})

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const complaintOf = async (claim: Promise<unknown>): Promise<string> => {
  const error = await claim.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(ConfigError)
  return (error as ConfigError).message
}

describe('a claim', () => {
  test('makes the folder for its owner alone, and announces where gatehouse listens', async () => {
    const claimed = await claimDataFolder(folder, { now: () => Date.parse('2026-01-02T03:04:05Z'), pid: 4711, machine: 'box' })
    claimed.announce({ host: '127.0.0.1', port: 11_435 })
    expect(JSON.parse(readFileSync(join(folder, 'run', 'serve.json'), 'utf8'))).toEqual({
      pid: 4711,
      machine: 'box',
      since: '2026-01-02T03:04:05.000Z',
      host: '127.0.0.1',
      port: 11_435,
      tls: false,
    })
    expect([folder, join(folder, 'run')].map(modeOf)).toEqual(['700', '700'])
    const files = ['command-line.json', 'serve.json', 'serve.lock', 'starts.json']
    expect(readdirSync(join(folder, 'run')).sort()).toEqual(files)
    expect(files.map(name => modeOf(join(folder, 'run', name)))).toEqual(['600', '600', '600', '600'])
    claimed.release()
    claimed.release()
    expect(readdirSync(join(folder, 'run')).sort()).toEqual(['serve.lock', 'starts.json'])
  })

  test('is refused while the same process has the folder, which keeps it', async () => {
    const claimed = await claimDataFolder(folder)
    expect(await complaintOf(claimDataFolder(folder))).toContain(`process ${process.pid}`)
    await using other = startClaimer()
    expect(await other.ask({ do: 'claim', folder })).toMatchObject({ won: false })
    claimed.release()
    expect(await other.ask({ do: 'claim', folder })).toEqual({ won: true })
  })

  test('names a file that is in the way', async () => {
    writeFileSync(folder, '')
    expect(await complaintOf(claimDataFolder(folder))).toMatch(/^data_dir: .*data cannot be used.*a file is in the way.*DATA_DIR/)
    expect(await complaintOf(claimDataFolder(join(folder, 'below')))).toContain('a file is in the way')
  })

  test('names a folder that is in the way of its lock', async () => {
    mkdirSync(join(folder, 'run', 'serve.lock'), { recursive: true })
    expect(await complaintOf(claimDataFolder(folder))).toMatch(/run\/serve\.lock cannot be opened.*DATA_DIR/)
  })

  test('leaves a lock file alone that is none', async () => {
    mkdirSync(join(folder, 'run'), { recursive: true })
    writeFileSync(join(folder, 'run', 'serve.lock'), 'my diary\n'.repeat(100))
    expect(await complaintOf(claimDataFolder(folder))).toContain('is not a lock of gatehouse')
    expect(readFileSync(join(folder, 'run', 'serve.lock'), 'utf8')).toStartWith('my diary')
  })

  test('names what the operating system says: no space, a read-only file system', async () => {
    for (const [code, words] of [
      ['ENOSPC', 'no space is left'],
      ['EROFS', 'the file system is read-only'],
    ] as const) {
      const lock = () => Promise.reject(Object.assign(new Error(code), { code, path: join(folder, 'run', 'serve.lock') }))
      expect(await complaintOf(claimDataFolder(folder, { lock }))).toMatch(new RegExp(`^data_dir: .*${words}.* \\(${code}\\).*DATA_DIR`))
    }
  })

  // root may write everywhere
  test.skipIf(process.getuid?.() === 0 || process.platform === 'win32')('names a folder this user may not write', async () => {
    chmodSync(parent, 0o500)
    expect(await complaintOf(claimDataFolder(folder))).toContain('this user may not write there (EACCES)')
  })

  test('that fails half-way lets the lock go', async () => {
    mkdirSync(join(folder, 'run', 'starts.json'), { recursive: true })
    await complaintOf(claimDataFolder(folder))
    rmSync(join(folder, 'run', 'starts.json'), { recursive: true })
    ;(await claimDataFolder(folder)).release()
  })

  test('goes on with a warning where the file system has no locks', async () => {
    const lock = async () => 'unsupported' as const
    const first = await claimDataFolder(folder, { lock, pid: 1, machine: 'box' })
    const second = await claimDataFolder(folder, { lock, pid: 2, machine: 'box' })
    expect(first.warnings).toEqual([expect.stringMatching(/has no locks, so nothing keeps a second gatehouse from using it too$/)])
    expect(second.warnings).toEqual([expect.stringContaining('process 1 since')])
    first.release() // leaves the other's note
    expect(existsSync(join(folder, 'run', 'serve.json'))).toBe(true)
    second.release()
    expect(existsSync(join(folder, 'run', 'serve.json'))).toBe(false)
  })

  test('ends without a complaint when somebody has removed the folder', async () => {
    const claimed = await claimDataFolder(folder)
    rmSync(folder, { recursive: true })
    claimed.announce({ host: '127.0.0.1', port: 1 })
    claimed.stopping()
    claimed.release()
    expect(existsSync(folder)).toBe(false)
  })
})

describe('the word for the command line', () => {
  const run = () => join(folder, 'run')

  test('says where gatehouse listens, and has a token whose hash alone is told to others', async () => {
    const claimed = await claimDataFolder(folder)
    expect(readLocalDoor(run())).toBeUndefined()
    claimed.announce({ host: '127.0.0.1', port: 11_435 })
    const door = readLocalDoor(run()) as LocalDoor
    expect(door).toEqual({ host: '127.0.0.1', port: 11_435, tls: false, token: expect.stringMatching(/^sk-local-[A-Za-z0-9_-]{32}$/) })
    expect(claimed.tokenSha256).toBe(new Bun.CryptoHasher('sha256').update(door.token).digest('hex'))
    expect(JSON.stringify([claimed, await readDataFolder(folder)])).not.toContain(door.token)
    claimed.announce({ host: '::1', port: 11_436, tls: true })
    expect(readLocalDoor(run())).toEqual({ host: '::1', port: 11_436, tls: true, token: door.token })
    claimed.release()
    claimed.announce({ host: '127.0.0.1', port: 11_435 })
    expect(readLocalDoor(run())).toBeUndefined()
  })

  test('of a killed process is gone with the next claim, which has another token', async () => {
    await using claimer = startClaimer()
    await claimer.ask({ do: 'claim', folder })
    await claimer.ask({ do: 'announce', host: '127.0.0.1', port: 1234 })
    await claimer.signal('SIGKILL')
    const stale = readLocalDoor(run()) as LocalDoor
    expect(stale.port).toBe(1234)
    const claimed = await claimDataFolder(folder)
    expect(readLocalDoor(run())).toBeUndefined()
    claimed.announce({ host: '127.0.0.1', port: 1234 })
    expect((readLocalDoor(run()) as LocalDoor).token).not.toBe(stale.token)
    claimed.release()
  })

  test('of another process stays, where there are no locks', async () => {
    const lock = async () => 'unsupported' as const
    const first = await claimDataFolder(folder, { lock, pid: 1, machine: 'box' })
    first.announce({ host: '127.0.0.1', port: 1 })
    const second = await claimDataFolder(folder, { lock, pid: 2, machine: 'box' })
    expect(readLocalDoor(run())?.port).toBe(1)
    second.announce({ host: '127.0.0.1', port: 2 })
    first.release()
    expect(readLocalDoor(run())?.port).toBe(2)
    second.release()
    expect(readLocalDoor(run())).toBeUndefined()
  })

  test('is none when somebody has spoiled it', () => {
    mkdirSync(run(), { recursive: true })
    for (const text of ['', 'null', '[]', '{"host":1,"port":2,"token":"x"}']) {
      writeFileSync(join(run(), 'command-line.json'), text)
      expect(readLocalDoor(run())).toBeUndefined()
    }
  })
})

describe('between processes', () => {
  test('a second one is told who has the folder, since when, and where', async () => {
    await using first = startClaimer()
    await using second = startClaimer()
    expect(await first.ask({ do: 'claim', folder })).toEqual({ won: true })
    expect((await second.ask({ do: 'claim', folder })).message).toMatch(
      new RegExp(`in use by another gatehouse: process ${first.pid} since 20[^ ]*Z, still starting\\. Stop that one, or .*DATA_DIR`),
    )
    await first.ask({ do: 'announce', host: '127.0.0.1', port: 1234 })
    expect((await second.ask({ do: 'claim', folder })).message).toContain('listening on 127.0.0.1 port 1234')
    await first.ask({ do: 'release' })
    expect(await second.ask({ do: 'claim', folder })).toEqual({ won: true })
  })

  test.each(['SIGKILL', 'SIGTERM', 'SIGHUP'] as const)('%s frees the folder, even when a child lives on', async name => {
    await using first = startClaimer()
    await using second = startClaimer()
    await first.ask({ do: 'claim', folder })
    const { childPid } = await first.ask({ do: 'spawn' })
    try {
      await first.signal(name)
      expect(() => process.kill(childPid as number, 0)).not.toThrow()
      expect(await second.ask({ do: 'claim', folder })).toEqual({ won: true })
    } finally {
      process.kill(childPid as number, 'SIGKILL')
    }
  })

  test('a claim outlives the garbage collector, and a second attempt in its process', async () => {
    await using first = startClaimer()
    await using second = startClaimer()
    await first.ask({ do: 'claim', folder })
    await first.ask({ do: 'collect-garbage' })
    expect(await second.ask({ do: 'claim', folder })).toMatchObject({ won: false })
    expect(await first.ask({ do: 'claim-again' })).toMatchObject({ won: false })
    expect(await second.ask({ do: 'claim', folder })).toMatchObject({ won: false })
  })

  test('of those who start at the same instant, exactly one wins', async () => {
    await using first = startClaimer()
    await using second = startClaimer()
    await using third = startClaimer()
    const all = [first, second, third]
    for (let round = 0; round < 20; round++) {
      // looking on must not make anybody lose
      const [answers] = await Promise.all([Promise.all(all.map(claimer => claimer.ask({ do: 'claim', folder }))), readDataFolder(folder)])
      expect(answers.filter(({ won }) => won)).toHaveLength(1)
      await Promise.all(all.map(claimer => claimer.ask({ do: 'release' })))
    }
  }, 30_000)
})

describe('the history', () => {
  const at = (time: string) => ({ now: () => Date.parse(`2026-01-02T${time}Z`) })

  test('of a first start is empty', async () => {
    const claimed = await claimDataFolder(folder)
    expect(claimed.previous).toEqual({ uncleanEnds: 0, withinMs: 0 })
    claimed.release()
  })

  test('knows a clean end, also of a run that was killed after it was asked to stop', async () => {
    for (const end of ['release', 'stopping'] as const) {
      await using claimer = startClaimer()
      await claimer.ask({ do: 'claim', folder })
      await claimer.ask({ do: end })
      await claimer.signal('SIGKILL')
      const next = await claimDataFolder(folder)
      expect(next.previous).toMatchObject({ uncleanEnds: 0, lastEndedCleanly: true })
      expect(next.report()).toEqual({ last_run_ended_cleanly: true, unclean_ends: 0, crash_loop: false })
      next.release()
    }
  })

  test('counts the runs that were killed', async () => {
    for (let round = 1; round <= 3; round++) {
      await using claimer = startClaimer()
      await claimer.ask({ do: 'claim', folder })
      await claimer.signal('SIGKILL')
      const { history, inUse } = await readDataFolder(folder)
      expect(inUse).toBe(false)
      expect(history).toMatchObject({ uncleanEnds: round, lastEndedCleanly: false })
    }
    const claimed = await claimDataFolder(folder)
    expect(claimed.previous.uncleanEnds).toBe(3)
    claimed.release()
  })

  test('survives a journal that somebody spoiled', async () => {
    mkdirSync(join(folder, 'run'), { recursive: true })
    for (const text of ['', '{"startedAt"', 'null', '[null, 1, {"startedAt": "soon"}]']) {
      writeFileSync(join(folder, 'run', 'starts.json'), text)
      writeFileSync(join(folder, 'run', 'serve.json'), text)
      const claimed = await claimDataFolder(folder)
      expect(claimed.previous).toEqual({ uncleanEnds: 0, withinMs: 0 })
      claimed.release()
    }
  })

  test('keeps the last twenty starts', async () => {
    for (let minute = 0; minute < 25; minute++) {
      const claimed = await claimDataFolder(folder, at(`03:${String(minute).padStart(2, '0')}:00`))
      claimed.release()
    }
    const { starts } = await readDataFolder(folder)
    expect(starts).toHaveLength(20)
    expect(starts.at(-1)).toEqual({ startedAt: '2026-01-02T03:24:00.000Z', stoppedAt: '2026-01-02T03:24:00.000Z' })
  })
})

describe('reading', () => {
  test('a folder that is not there changes nothing', async () => {
    expect(await readDataFolder(folder)).toEqual({ inUse: false, starts: [], history: { uncleanEnds: 0, withinMs: 0 } })
    expect(existsSync(folder)).toBe(false)
  })

  test('says who runs there, from the same process and from another', async () => {
    const claimed = await claimDataFolder(folder)
    claimed.announce({ host: '::1', port: 4321, tls: true })
    const state = await readDataFolder(folder)
    expect(state).toMatchObject({
      inUse: true,
      running: { pid: process.pid, machine: hostname(), host: '::1', port: 4321, tls: true },
      history: { uncleanEnds: 0 },
    })
    expect(state.starts).toHaveLength(1)
    await using other = startClaimer() // looking on has not dropped the lock
    expect(await other.ask({ do: 'claim', folder })).toMatchObject({ won: false })
    claimed.release()
    expect(await readDataFolder(folder)).toMatchObject({ inUse: false, history: { lastEndedCleanly: true } })
  })
})
