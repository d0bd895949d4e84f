import { describe, expect, test } from 'bun:test'
import pino from 'pino'
import { freePort } from './discover/testing.ts'
import { findOllama } from './ollama/find-ollama.ts'
import { stubOllama } from './ollama/testing/stub-ollama.ts'
import { type AutostartOptions, autostartOllama } from './ollama-autostart.ts'
import { spawnChild } from './processes/spawn-child.ts'
import { gone, isAlive, runner } from './processes/testing/alive.ts'
import { fakeOllama } from './testing/fake-ollama.ts'

const times = { pollMs: 20, restarts: { most: 2, windowMs: 60_000, firstMs: 10, longestMs: 20 } }

/** An autostart whose log is kept, and a way to wait for a line in it. */
function open(options: Partial<AutostartOptions> & Pick<AutostartOptions, 'baseUrl' | 'env'>) {
  const lines: Record<string, unknown>[] = []
  const waiting = new Set<() => void>()
  const log = pino(
    { level: 'debug', base: null, messageKey: 'message', formatters: { level: label => ({ level: label }) } },
    {
      write(line: string) {
        lines.push(JSON.parse(line))
        for (const look of waiting) look()
      },
    },
  )
  const autostart = autostartOllama({
    log,
    spawn: child => spawnChild({ ...child, ...runner }),
    find: env => findOllama(env, []), // whatever is installed on the machine that tests
    times,
    ...options,
  })
  const line = (text: string, count = 1) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`never came: ${text}\n${JSON.stringify(lines)}`)), 8_000)
      const look = () => {
        const match = lines.filter(({ message }) => String(message).includes(text))[count - 1]
        if (!match) return
        clearTimeout(late)
        waiting.delete(look)
        resolve(match)
      }
      waiting.add(look)
      look()
    })
  const told = (level = 'info') => lines.filter(entry => entry.level === level).map(({ message }) => String(message))
  return { ...autostart, line, told, [Symbol.asyncDispose]: autostart.close }
}

const url = (port: number, host = '127.0.0.1') => `http://${host}:${port}`
const tags = (port: number) => fetch(`${url(port)}/api/tags`).then(({ status }) => status)

describe('starts Ollama', () => {
  test('once, with `serve`, where the backend expects it, and ends it with all it has started', async () => {
    using stub = await stubOllama()
    const port = await freePort()
    await using autostart = open({ baseUrl: url(port), env: stub.env })
    expect(await autostart.ready).toBe(true)
    expect(await tags(port)).toBe(200)
    expect(autostart.told()).toEqual(['Ollama started'])
    expect(autostart.told('warn')).toEqual([])
    const [call, ...more] = stub.calls()
    expect(more).toEqual([])
    expect(call).toMatchObject({ args: ['serve'], env: { OLLAMA_HOST: `127.0.0.1:${port}` } })
    await autostart.close()
    expect(call?.pids.filter(isAlive)).toEqual([])
    await autostart.close()
    expect(stub.calls()).toHaveLength(1)
  })

  test('with its user’s settings, none of ours, and no secrets', async () => {
    using stub = await stubOllama()
    const port = await freePort()
    const env: Record<string, string> = {
      ...stub.env,
      OLLAMA_HOST: 'http://127.0.0.1:1',
      OLLAMA_MODELS: '/srv/models',
      OLLAMA_AUTOSTART: 'true',
      CUDA_VISIBLE_DEVICES: '1',
      API_KEY: 'sk-fake-1',
      GATEHOUSE_ADMIN_API_KEY: 'sk-fake-2',
      HF_TOKEN: 'hf-fake',
      HTTPS_PROXY: 'http://someone:fake-password@proxy.example:3128',
    }
    await using autostart = open({ baseUrl: url(port), env })
    expect(await autostart.ready).toBe(true)
    const seen = stub.calls()[0]?.env ?? {}
    expect(seen).toMatchObject({
      OLLAMA_HOST: `127.0.0.1:${port}`,
      OLLAMA_MODELS: '/srv/models',
      CUDA_VISIBLE_DEVICES: '1',
      HOME: env.HOME,
    })
    expect(seen.HTTPS_PROXY).toBe(env.HTTPS_PROXY)
    expect(JSON.stringify(seen)).not.toMatch(/sk-fake|hf-fake|AUTOSTART|GATEHOUSE|NO_ORPHANS/)
    const { level, from, message } = await autostart.line('server config')
    expect({ level, from }).toEqual({ level: 'debug', from: 'ollama' })
    expect(message).toContain('proxy.example')
    expect(message).not.toContain('fake-password')
  })

  test.each(['localhost', '127.0.0.1', '127.0.0.2'])('for a backend at %s', async host => {
    using stub = await stubOllama('crash')
    const port = await freePort()
    await using autostart = open({ baseUrl: url(port, host), env: stub.env })
    expect(await autostart.ready).toBe(false)
    expect(stub.calls()[0]?.env.OLLAMA_HOST).toBe(`${host === 'localhost' ? '127.0.0.1' : host}:${port}`)
  })

  test('again when it ends, and takes its time when that happens often', async () => {
    using stub = await stubOllama()
    const port = await freePort()
    await using autostart = open({ baseUrl: url(port), env: stub.env })
    await autostart.ready
    for (const count of [1, 2]) {
      process.kill(stub.calls().at(-1)?.pids[0] as number, 'SIGKILL')
      await autostart.line('Ollama started again', count)
      expect(await tags(port)).toBe(200)
    }
    process.kill(stub.calls().at(-1)?.pids[0] as number, 'SIGKILL')
    expect(await autostart.line('keeps ending')).toMatchObject({ level: 'error', signal: 'SIGKILL' })
    expect(stub.calls()).toHaveLength(3)
    await gone(stub.calls().flatMap(({ pids }) => pids))
  })

  test('and says so when it cannot be started again', async () => {
    using stub = await stubOllama('crash-later')
    const port = await freePort()
    await using autostart = open({ baseUrl: url(port), env: stub.env })
    await autostart.ready
    process.kill(stub.calls()[0]?.pids[0] as number, 'SIGKILL')
    await autostart.line('keeps ending')
    expect(autostart.told('warn').filter(message => message.includes('ended before it answered'))).toHaveLength(2)
    expect(stub.calls()).toHaveLength(3)
  })
})

describe('gives up with a line that says why', () => {
  test('when it ends before it answers', async () => {
    using stub = await stubOllama('crash')
    await using autostart = open({ baseUrl: url(await freePort()), env: stub.env })
    expect(await autostart.ready).toBe(false)
    expect(await autostart.line('ended before it answered')).toMatchObject({
      level: 'warn',
      code: 3,
      said: 'Error: no space left on device',
    })
    expect(stub.calls()).toHaveLength(1)
  })

  test('when it never answers, and ends it', async () => {
    using stub = await stubOllama('mute')
    await using autostart = open({ baseUrl: url(await freePort()), env: stub.env, times: { ...times, readyMs: 2_500 } })
    expect(await autostart.ready).toBe(false)
    expect(autostart.told('warn')).toEqual(['Ollama was started, but did not answer within 2.5 s; it is ended'])
    expect(stub.calls().flatMap(({ pids }) => pids.filter(isAlive))).toEqual([])
    expect(stub.calls()).toHaveLength(1)
  })

  test('when it is not installed', async () => {
    await using autostart = open({ baseUrl: url(await freePort()), env: { PATH: '/nonexistent' } })
    expect(await autostart.ready).toBe(false)
    expect([...autostart.told(), ...autostart.told('warn')]).toEqual([expect.stringContaining('is not installed')])
  })

  test('when its file cannot be run', async () => {
    await using autostart = open({ baseUrl: url(await freePort()), env: {}, find: () => '/nonexistent/ollama' })
    expect(await autostart.ready).toBe(false)
    expect(autostart.told('warn')).toEqual(['Ollama could not be started'])
  })
})

describe('does not start it', () => {
  test('when it runs already', async () => {
    using stub = await stubOllama()
    const fake = await fakeOllama()
    await using autostart = open({ baseUrl: fake.url, env: stub.env })
    expect(await autostart.ready).toBe(true)
    await autostart.close()
    expect(await tags(fake.port)).toBe(200)
    expect(stub.calls()).toEqual([])
    await fake.stop()
  })

  test('when something else listens there', async () => {
    using stub = await stubOllama()
    const port = await freePort()
    const other = Bun.serve({ port, hostname: '127.0.0.1', fetch: () => new Response('no', { status: 404 }) })
    await using autostart = open({ baseUrl: url(port), env: stub.env })
    expect(await autostart.ready).toBe(false)
    expect(stub.calls()).toEqual([])
    await other.stop(true)
  })

  test('when somebody else has started it meanwhile', async () => {
    using stub = await stubOllama()
    const port = await freePort()
    await using autostart = open({
      baseUrl: url(port),
      env: stub.env,
      times: { ...times, restarts: { ...times.restarts, firstMs: 300, longestMs: 300 } },
    })
    await autostart.ready
    process.kill(stub.calls()[0]?.pids[0] as number, 'SIGKILL')
    await autostart.line('is started again')
    const fake = await fakeOllama({ port })
    await autostart.line('taken its place')
    expect(stub.calls()).toHaveLength(1)
    await autostart.close()
    expect(await tags(port)).toBe(200)
    await fake.stop()
  })

  test.each([
    'http://192.0.2.1:11434',
    'http://ollama.example:11434',
    'http://localhost.example:11434',
    'https://127.0.0.1:11434',
    'http://127.0.0.1:11434/behind/a/proxy',
    'http://127.0.0.1',
  ])('for %s', async baseUrl => {
    using stub = await stubOllama()
    await using autostart = open({ baseUrl, env: stub.env })
    expect(await autostart.ready).toBe(false)
    expect(stub.calls()).toEqual([])
    expect(autostart.told('warn')).toEqual([])
  })
})

describe('closing', () => {
  test('while it starts ends it', async () => {
    using stub = await stubOllama('mute')
    const autostart = open({ baseUrl: url(await freePort()), env: stub.env })
    await autostart.line('server config')
    await autostart.close()
    expect(await autostart.ready).toBe(false)
    expect(stub.calls().flatMap(({ pids }) => pids.filter(isAlive))).toEqual([])
    expect(autostart.told('warn')).toEqual([])
  })

  test('while it waits to start it again starts nothing', async () => {
    using stub = await stubOllama()
    await using autostart = open({
      baseUrl: url(await freePort()),
      env: stub.env,
      times: { ...times, restarts: { ...times.restarts, firstMs: 60_000, longestMs: 60_000 } },
    })
    await autostart.ready
    process.kill(stub.calls()[0]?.pids[0] as number, 'SIGKILL')
    await autostart.line('is started again')
    await autostart.close()
    expect(stub.calls()).toHaveLength(1)
  })
})

test('it is looked for on the PATH first, then where installers put it', async () => {
  using stub = await stubOllama()
  const file = findOllama({ PATH: stub.env.PATH }, [])
  expect(file).toEndWith('/ollama')
  expect(findOllama({ PATH: '/nonexistent' }, ['/nonexistent/ollama', file as string])).toBe(file)
  expect(findOllama({}, [])).toBeUndefined()
})
