import { describe, expect, test } from 'bun:test'
import { freePort } from '../discover/testing.ts'
import { gone } from '../processes/testing/alive.ts'
import { fakeOllama } from '../testing/fake-ollama.ts'
import { startGatehouse } from '../testing/gatehouse-process.ts'
import { findOllama } from './find-ollama.ts'
import { type StubOllama, stubOllama } from './testing/stub-ollama.ts'

const health = async (url: string) => (await fetch(`${url}/health`)).status

/** A gatehouse whose Ollama is expected at a free port, and not running. */
async function start(stub: StubOllama, env: Readonly<Record<string, string>> = {}) {
  const port = await freePort()
  const gatehouse = await startGatehouse({
    env: { ...stub.env, OLLAMA_HOST: `http://127.0.0.1:${port}`, OLLAMA_AUTOSTART: 'true', ...env },
  })
  const healthy = async () => {
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; await Bun.sleep(50)) {
      if ((await health(gatehouse.url)) === 200) return
    }
    throw new Error(`not healthy within 30 s\n${gatehouse.output.stdout}`)
  }
  return Object.assign(gatehouse, { port, healthy })
}

const pidsOf = (stub: StubOllama) => stub.calls().flatMap(({ pids }) => pids)

describe('an Ollama that does not run', () => {
  test('is started once, with `serve`, and ends with us', async () => {
    using stub = await stubOllama()
    await using gatehouse = await start(stub)
    await gatehouse.healthy()
    expect(stub.calls().map(({ args, env }) => [args, env.OLLAMA_HOST])).toEqual([[['serve'], `127.0.0.1:${gatehouse.port}`]])
    await gatehouse.until(({ stdout }) => stdout.includes('Ollama started'), 'the line that says so')
    gatehouse.signal('SIGTERM')
    expect(await gatehouse.exited).toBe(0)
    await gone(pidsOf(stub), 0)
  }, 40_000)

  test.each(['SIGKILL', 'SIGHUP then SIGKILL'])(
    'is gone after %s',
    async how => {
      using stub = await stubOllama()
      await using gatehouse = await start(stub)
      await gatehouse.healthy()
      for (const signal of how.split(' then ') as NodeJS.Signals[]) gatehouse.signal(signal)
      await gatehouse.exited
      expect(pidsOf(stub)).toHaveLength(2)
      await gone(pidsOf(stub))
    },
    40_000,
  )

  test('is gone after a stop that was forced', async () => {
    using stub = await stubOllama()
    await using gatehouse = await start(stub)
    await gatehouse.healthy()
    gatehouse.signal('SIGTERM')
    gatehouse.signal('SIGTERM')
    await gatehouse.exited
    await gone(pidsOf(stub))
  }, 40_000)

  test('holds up neither the start nor the stop', async () => {
    using stub = await stubOllama('mute')
    await using gatehouse = await start(stub)
    expect(await health(gatehouse.url)).toBe(503)
    for (let i = 0; i < 500 && stub.calls().length === 0; i++) await Bun.sleep(10)
    gatehouse.signal('SIGTERM')
    expect(await gatehouse.exited).toBe(0)
    await gone(pidsOf(stub), 0)
  }, 40_000)
})

describe('nothing is started', () => {
  test.each([
    ['when it is switched off', { OLLAMA_AUTOSTART: 'false' }],
    ['for another machine', { OLLAMA_HOST: 'http://192.0.2.1:11434', HEALTH_CHECK_TIMEOUT: '200ms' }],
    ['when it runs already', {}],
  ])('%s', async (name, env) => {
    using stub = await stubOllama()
    const running = name.includes('already') ? await fakeOllama() : undefined
    await using gatehouse = await start(stub, { ...env, ...(running && { OLLAMA_HOST: running.url }) })
    expect(await health(gatehouse.url)).toBe(running ? 200 : 503)
    gatehouse.signal('SIGTERM')
    expect(await gatehouse.exited).toBe(0)
    expect(stub.calls()).toEqual([])
    await running?.stop()
  })

  // where an Ollama is installed in one of the usual places, it would be found
  test.skipIf(findOllama({ PATH: '/nonexistent' }) !== undefined)('when it is not installed, and it is used when it comes', async () => {
    using stub = await stubOllama()
    await using gatehouse = await start(stub, { PATH: '/nonexistent' })
    await gatehouse.until(({ stdout }) => stdout.includes('is not installed'), 'the line that says so')
    expect(await health(gatehouse.url)).toBe(503)
    const ollama = await fakeOllama({ port: gatehouse.port })
    expect(await health(gatehouse.url)).toBe(200)
    await ollama.stop()
  })
})
