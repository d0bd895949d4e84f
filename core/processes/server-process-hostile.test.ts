import { afterEach, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkLlamaServer } from './llama-server-check.ts'
import { noRoom } from './server-process.ts'
import { neverFits } from './server-process-errors.ts'
import type { Launch } from './server-process-spec.ts'
import { gone, isAlive } from './testing/alive.ts'
import { closeOpened, errorOf, open, pidOf } from './testing/process.ts'
import { anyPort, launchOf, patient, shortTimes, testKey, until } from './testing/server.ts'

afterEach(closeOpened)

const path = { PATH: process.env.PATH ?? '' }
const shell = (script: string, more: Partial<Launch> = {}): Launch => ({
  command: 'sh',
  args: ['-c', script],
  env: path,
  healthPath: '/health',
  apiKey: testKey,
  ...more,
})

describe('a start', () => {
  test.each(['it never says that it is well', 'it said that it was well, and then froze'])(
    'of one that freezes because %s ends',
    async how => {
      const late = how.startsWith('it said')
      const check = async () => {
        globalThis.process.kill(pidOf(process), 'SIGSTOP')
        return new Promise<void>((_, reject) => signal?.addEventListener('abort', () => reject(signal?.reason)))
      }
      let signal: AbortSignal | undefined
      const { process, starts } = open(
        late ? {} : { loadMs: 60_000 },
        { times: () => ({ ...shortTimes, graceMs: 100 }) },
        {
          loadTimeoutMs: 5_000,
          check: (_, asked) => {
            signal = asked
            return check()
          },
        },
      )
      const asked = errorOf(process.use(patient))
      if (!late) {
        await until(() => starts().length > 0, 'the start')
        globalThis.process.kill(pidOf(process), 'SIGSTOP')
      }
      expect((await asked).code).toBe('timeout_load')
      await gone(
        starts().map(({ pid }) => pid),
        0,
      )
    },
  )

  test('of one that goes into the background says what is wrong with that, and leaves nothing', async () => {
    const { process, stand } = open(
      {},
      {},
      {
        launch: port => {
          const { command, args } = launchOf(stand, 'm', port)
          return shell(`setsid ${command} ${args.join(' ')} & echo "server $!"`)
        },
      },
    )
    await errorOf(process.use(patient))
    expect(process.snapshot().failure?.message).toBe(
      "it ended before it was ready, with exit code 0; a model's command must stay in the foreground, and end when its server ends",
    )
    const { failure } = process.snapshot()
    const server = Number(/server (\d+)/.exec(failure?.lines.join('\n') ?? '')?.[1])
    expect(server).toBeGreaterThan(1)
    await gone([server, ...stand.starts('m').map(({ pid }) => pid)], 0)
  })

  test('of one that takes another port is over in time', async () => {
    const { port: other } = await anyPort()
    const { process, starts, stand } = open({}, {}, { launch: () => launchOf(stand, 'm', other), loadTimeoutMs: 5_000 })
    expect((await errorOf(process.use(patient))).code).toBe('timeout_load')
    expect(process.snapshot().failure?.message).toMatch(
      new RegExp(`; it listens on port ${other} and not on \\$\\{PORT\\}, which was \\d+$`),
    )
    await gone(
      starts().map(({ pid }) => pid),
      0,
    )
  })

  test('that meets a stranger with another key takes the next port, where nobody can tell who listens', async () => {
    const check = checkLlamaServer({ wanted: { slots: 1, contextSize: 1 }, onShortcoming: () => undefined })
    const stranger = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: request => new Response('', { status: new URL(request.url).pathname === '/health' ? 200 : 401 }),
    })
    const ports = [stranger.port as number]
    const { process, stand } = open(
      {},
      { choosePort: async () => ({ port: ports.pop() ?? (await anyPort()).port, release() {} }) },
      // as a container does, which only the key can tell from another one
      { launch: port => ({ ...launchOf(stand, 'm', port), listensElsewhere: true }), check },
    )
    using lease = await process.use(patient)
    expect(lease.port).not.toBe(stranger.port)
    stranger.stop(true)
  })

  test('that nobody waits for is broken off by an unload, however long it would load', async () => {
    const { process, starts } = open({ loadMs: 60_000 }, {}, { loadTimeoutMs: 600_000 })
    const leaver = new AbortController()
    const asked = process.use(leaver.signal)
    asked.catch(() => undefined)
    await until(() => starts().length === 1, 'the start')
    leaver.abort()
    await process.unload()
    expect(process.state).toBe('stopped')
    await gone(
      starts().map(({ pid }) => pid),
      0,
    )
  })

  test.each([
    ['that never fits', neverFits('m', 'needs 9 GiB of memory'), "The model 'm' cannot be loaded: needs 9 GiB of memory"],
    ['that has no room now', noRoom, 'there is no room'],
  ])('of its own accord %s is told in the log', async (_, refusal, reason) => {
    const { process, log } = open({}, { room: { take: () => Promise.reject(refusal) } })
    process.warm()
    await until(() => log.length > 0, 'a line')
    expect(log).toEqual([
      { level: 'warn', message: 'Model process is not loaded before somebody asks for it', facts: { model: 'm', reason } },
    ])
    expect(process.state).toBe('stopped')
  })

  test('that two hundred wait for, each with an abort of their own, forgets all of them', async () => {
    const { process } = open({ loadMs: 60_000 }, {}, { loadTimeoutMs: 3_000 })
    const leavers = Array.from({ length: 200 }, () => new AbortController())
    const asked = leavers.map(({ signal }, index) => process.use(signal).catch((error: unknown) => [index, error]))
    await until(() => process.state === 'starting', 'starting')
    expect(process.snapshot().queued).toBe(200)
    for (const [index, leaver] of leavers.entries()) if (index % 2 === 0) leaver.abort(`left ${index}`)
    expect(process.snapshot().queued).toBe(100)
    const ends = (await Promise.all(asked)) as [number, unknown][]
    for (const [index, error] of ends) {
      if (index % 2 === 0) expect(error).toBe(`left ${index}`)
      else expect(error).toMatchObject({ status: 504, code: 'timeout_load' })
    }
    expect(process.snapshot()).toMatchObject({ queued: 0, inFlight: 0 })
    for (const leaver of leavers) leaver.abort('too late')
  })
})

describe('the end', () => {
  test('of the house does not wait for one that was given more time before', async () => {
    const { process } = open({ deaf: true }, { times: () => ({ ...shortTimes, graceMs: 60_000 }) })
    ;(await process.use(patient)).release()
    const pid = pidOf(process)
    const unloaded = process.unload()
    await until(() => process.state === 'stopping', 'stopping')
    await Bun.sleep(50)
    const before = performance.now()
    await process.close(200)
    await unloaded
    expect(performance.now() - before).toBeLessThan(20_000)
    expect(isAlive(pid)).toBe(false)
  })
})

test('a command that stops it has its time also when it has ended by itself, for it may live elsewhere', async () => {
  const { process, stand, runFolder } = open({}, { times: () => ({ ...shortTimes, graceMs: 20_000, orphanGraceMs: 100 }) })
  const file = join(runFolder, 'stopped')
  const stop = { command: 'sh', args: ['-c', `sleep 0.5; touch ${file}`] }
  process.update({ model: 'm', print: '2', launch: port => ({ ...launchOf(stand, 'm', port), stop }) })
  ;(await process.use(patient)).release()
  globalThis.process.kill(pidOf(process), 'SIGKILL')
  await until(() => existsSync(file), 'the end of the command')
})

describe('output', () => {
  test('without line ends, and faster than anybody reads, fills nothing', async () => {
    const flood = 'head -c 104857600 /dev/zero | tr "\\\\0" x; echo; echo done'
    const { process } = open({}, {}, { launch: () => shell(`${flood}; exec sleep 1000`), loadTimeoutMs: 60_000 })
    const leaver = new AbortController()
    const asked = process.use(leaver.signal).catch(() => undefined)
    const said = () => process.output.lines().map(({ text }) => text)
    await until(() => said().includes('done'), 'the end of the flood')
    leaver.abort()
    await asked
    expect(said().some(line => line.startsWith('(104841216 more characters'))).toBe(true)
    expect(said().join('').length).toBeLessThan(20_000)
    await process.unload({ force: true })
  })

  test('does not tell the keys that are arguments', async () => {
    const key = 'sk-fake-0123456789abcdef'
    const { process } = open({}, {}, { launch: () => shell('', { args: ['-c', 'echo "args: $*"; exit 1', '--', '--api-key', key] }) })
    await errorOf(process.use(patient))
    const said = process.output.lines().map(({ text }) => text)
    expect(said).toContain('args: --api-key <redacted>')
    expect(process.snapshot().failure?.lines.join('\n')).not.toContain(key)
  })

  test.each([0, 1, 10, 19])('hides a secret that the cut goes through, %d characters before its end', async before => {
    const secret = 'sk-very-secret-thing-9876'
    const fill = 16_384 - secret.length + before
    const { process } = open(
      {},
      {},
      {
        launch: () =>
          shell(`head -c ${fill} /dev/zero | tr "\\\\0" x; echo "$THE_KEY and more"; exit 1`, { env: { ...path, THE_KEY: secret } }),
      },
    )
    await errorOf(process.use(patient))
    const said = process.output.lines().map(({ text }) => text)
    expect(said.join('\n')).toContain('<redacted>')
    for (let at = 0; at + 8 <= secret.length; at++) expect(said.join('\n')).not.toContain(secret.slice(at, at + 8))
  })
})
