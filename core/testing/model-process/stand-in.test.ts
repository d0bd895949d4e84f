import { afterEach, describe, expect, test } from 'bun:test'
import { freePort } from '../../discover/testing.ts'
import { readGguf } from '../../processes/gguf.ts'
import { type Behaviour, isRunning, type StandIn, standIn } from './stand-in.ts'

const opened: { child: Bun.Subprocess; stand: StandIn }[] = []
afterEach(async () => {
  for (const { child, stand } of opened.splice(0)) {
    for (const { grandchildren } of stand.starts('m')) for (const pid of grandchildren.filter(isRunning)) process.kill(pid, 'SIGKILL')
    child.kill('SIGKILL')
    await child.exited
    stand[Symbol.dispose]()
  }
})

async function start(behaviour: Behaviour = {}, args: readonly string[] = [], env: Record<string, string> = {}) {
  const stand = standIn()
  const port = await freePort()
  const child = Bun.spawn([stand.executable, '-m', stand.model('m', behaviour), '--port', String(port), '--alias', 'm', ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  opened.push({ child, stand })
  const url = `http://127.0.0.1:${port}`
  const get = (path: string, init?: RequestInit) => fetch(url + path, init)
  const chat = (model = 'm', headers = {}) =>
    get('/v1/chat/completions', { method: 'POST', headers, body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }) })
  const listening = async () => {
    for (;;) {
      const response = await get('/health').catch(() => Bun.sleep(5))
      if (response) return response
    }
  }
  const ready = async () => {
    while (!(await listening()).ok) await Bun.sleep(5)
  }
  return { stand, port, child, get, chat, listening, ready, started: () => stand.starts('m')[0] }
}

test('is loading first, as llama-server says it, and then answers', async () => {
  const { listening, ready, chat, get } = await start({ loadMs: 150 })
  const loading = await listening()
  expect([loading.status, await loading.json()]).toEqual([
    503,
    { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
  ])
  expect((await chat()).status).toBe(503)
  await ready()
  expect(await (await chat()).json()).toMatchObject({ model: 'm', object: 'chat.completion' })
  const tokens = await get('/tokenize', { method: 'POST', body: JSON.stringify({ content: 'hello' }) })
  expect(((await tokens.json()) as { tokens: unknown[] }).tokens.length).toBeGreaterThan(0)
})

test.each([
  [['-c', '8192', '-np', '8'], 8, 1024],
  [['-c', '8192', '-np', '8', '--kv-unified'], 8, 8192],
  [['--ctx-size', '2048', '--parallel', '2', '-kvu'], 2, 2048],
])('%p makes %d slots of %d tokens', async (args, slots, context) => {
  const { ready, get } = await start({}, args)
  await ready()
  expect((await (await get('/props')).json()) as object).toMatchObject({
    total_slots: slots,
    default_generation_settings: { n_ctx: context },
  })
})

test.each([
  ['as an argument', ['--api-key', 'sk-one'], {}],
  ['in the environment', [], { LLAMA_API_KEY: 'sk-one' }],
] as const)('asks for its key when it has one %s, but not for its health', async (_, args, env) => {
  const { ready, get, chat } = await start({}, args, env)
  await ready()
  expect([(await chat()).status, (await get('/props')).status]).toEqual([401, 401])
  expect((await chat('m', { authorization: 'Bearer sk-one' })).status).toBe(200)
})

test('takes flags it does not know, and notes all it was given', async () => {
  const { ready, started, child, port } = await start({}, ['--flash-attn', 'on', '--weird'], { LD_LIBRARY_PATH: '/x' })
  await ready()
  expect(started()).toMatchObject({ pid: child.pid, port, besides: [], grandchildren: [] })
  expect(started()?.args.slice(-3)).toEqual(['--flash-attn', 'on', '--weird'])
  expect(started()?.environment).toContain('LD_LIBRARY_PATH')
})

test('its help knows the flags that are looked for', async () => {
  using stand = standIn()
  const { stdout, exitCode } = Bun.spawnSync([stand.executable, '--help'])
  expect(exitCode).toBe(0)
  expect(stdout.toString()).toContain('--kv-unified')
})

test('its model files are GGUF', async () => {
  using stand = standIn()
  const path = stand.model('m', { loadMs: 5 }, { contextLength: 1234, blocks: 7 })
  expect(await readGguf(path)).toMatchObject({ architecture: 'llama', contextLength: 1234 })
})

describe('fails as it is told', () => {
  test.each([
    ['at the start', { exitAtStart: 9 }, 9],
    ['after loading', { loadMs: 50, exitAfterLoading: 8 }, 8],
  ])('%s', async (_, behaviour, code) => {
    const { child, started } = await start(behaviour)
    expect(await child.exited).toBe(code)
    expect(started()).toBeDefined()
  })

  test('without its model', async () => {
    using stand = standIn()
    const { exitCode, stderr } = Bun.spawnSync([stand.executable, '-m', '/nowhere/x.gguf', '--port', '1'])
    expect([exitCode, stderr.toString()]).toEqual([1, expect.stringContaining('failed to open GGUF file /nowhere/x.gguf')])
  })

  test('when its port is taken', async () => {
    const other = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
    const { child } = await start({}, ['--port', String(other.port)])
    expect(await child.exited).toBe(1)
    expect(await new Response(child.stderr as ReadableStream).text()).toContain("couldn't bind HTTP server socket")
    other.stop(true)
  })

  test('at the n-th request, before any byte', async () => {
    const { ready, chat, child } = await start({ crashAtRequest: 2 })
    await ready()
    expect((await chat()).status).toBe(200)
    await expect(chat()).rejects.toThrow()
    expect(await child.exited).toBe(134)
  })

  test('on demand', async () => {
    const { ready, get, child } = await start()
    await ready()
    await get('/stand-in/crash', { method: 'POST', body: JSON.stringify({ code: 77 }) }).catch(() => undefined)
    expect(await child.exited).toBe(77)
  })
})

describe('hangs', () => {
  const silent = async (work: (signal: AbortSignal) => Promise<unknown>) =>
    work(AbortSignal.timeout(200)).then(
      () => false,
      () => true,
    )

  test('from the start', async () => {
    const { get, started } = await start({ hang: 'start' })
    while (!started()) await Bun.sleep(5)
    await Bun.sleep(100)
    expect(await silent(signal => get('/health', { signal }))).toBe(true)
  })

  test('from the n-th request on, or on demand', async () => {
    const { ready, chat, get } = await start({ hang: 2 })
    await ready()
    expect((await chat()).status).toBe(200)
    expect(await silent(signal => get('/v1/completions', { method: 'POST', body: '{"prompt":"x"}', signal }))).toBe(true)
    expect(await silent(signal => get('/health', { signal }))).toBe(true)
    const other = await start()
    await other.ready()
    await other.get('/stand-in/hang', { method: 'POST' })
    expect(await silent(signal => other.get('/health', { signal }))).toBe(true)
  })
})

describe('ends', () => {
  test.each([
    ['with 0', {}, 0],
    ['with the code it is told', { exitCode: 5 }, 5],
  ])('%s on SIGTERM', async (_, behaviour, code) => {
    const { ready, child } = await start(behaviour)
    await ready()
    child.kill('SIGTERM')
    expect(await child.exited).toBe(code)
  })

  test('not, when it is deaf', async () => {
    const { ready, child, chat } = await start({ deaf: true })
    await ready()
    child.kill('SIGTERM')
    await Bun.sleep(50)
    expect((await chat()).status).toBe(200)
  })
})

test('starts grandchildren, and is noisy, and holds memory', async () => {
  const { ready, started, child } = await start({ grandchildren: ['plain', 'own-session', 'deaf'], noise: 500, memoryBytes: 40_000_000 })
  await ready()
  expect(started()?.grandchildren.map(isRunning)).toEqual([true, true, true])
  const [, deaf] = (started()?.grandchildren ?? []).slice(1) as [number, number]
  process.kill(deaf, 'SIGTERM')
  await Bun.sleep(50)
  expect(isRunning(deaf)).toBe(true)
  child.kill('SIGTERM')
  expect((await new Response(child.stdout as ReadableStream).text()).split('\n').length).toBeGreaterThan(500)
  expect((await new Response(child.stderr as ReadableStream).text()).split('\n').length).toBeGreaterThan(500)
})

test('asks before it listens, and waits for the answer', async () => {
  const answer = Promise.withResolvers<Response>()
  const asked = Promise.withResolvers<URL>()
  const door = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      asked.resolve(new URL(request.url))
      return answer.promise
    },
  })
  const { port, child, get, ready } = await start({ askBeforeListening: `http://127.0.0.1:${door.port}/` })
  const { searchParams } = await asked.promise
  expect([searchParams.get('port'), searchParams.get('pid')]).toEqual([String(port), String(child.pid)])
  await expect(get('/health')).rejects.toThrow()
  answer.resolve(new Response())
  await ready()
  door.stop(true)
})

test('notices another one of the same model', async () => {
  const first = await start()
  await first.ready()
  const path = first.stand.model('m')
  const second = Bun.spawn([first.stand.executable, '-m', path, '--port', String(await freePort())], { stdout: 'ignore', stderr: 'ignore' })
  while (first.stand.starts('m').length < 2) await Bun.sleep(5)
  expect(first.stand.starts('m')[1]?.besides).toEqual([first.child.pid])
  second.kill('SIGKILL')
  await second.exited
})
