import { expect, test } from 'bun:test'
import { gone, isAlive } from '../processes/testing/alive.ts'
import { failureOf, fakeChild, mcpConfig, openServers } from './testing/open-servers.ts'

test('a server is greeted, and everything it lists is there, page by page', async () => {
  await using mcp = openServers([fakeChild('one')])
  await mcp.stateOf('one', 'healthy')
  const row = mcp.server('one')
  expect(row?.about).toMatchObject({ name: 'fake', protocolVersion: '2025-06-18', capabilities: ['prompts', 'resources', 'tools'] })
  expect(row?.counts).toEqual({ tools: mcp.tools().length, resources: 1, resourceTemplates: 0, prompts: 1 })
  expect(
    mcp
      .tools()
      .slice(0, 3)
      .map(({ server, name }) => `${server} ${name}`),
  ).toEqual(['one echo', 'one sleep', 'one silent'])
  expect(mcp.tools()).toBe(mcp.tools())
  expect(mcp.lines).toContain('warn MCP server "one" lists something among its tools that is not valid; it is left out')
  expect(await mcp.readResource({ server: 'one', uri: 'file:///a.txt' })).toEqual({ contents: [{ uri: 'file:///a.txt', text: 'ALPHA' }] })
  expect((await mcp.getPrompt({ server: 'one', prompt: 'sum', args: { text: 'T' } })).messages[0]?.content).toEqual({
    type: 'text',
    text: 'Sum up: T',
  })
})

test('a call before the server is there waits for it', async () => {
  await using mcp = openServers([fakeChild('one')])
  expect(mcp.server('one')?.state).toBe('starting')
  expect(await mcp.text('one', 'echo', { text: 'early' })).toBe('early')
})

test('one server takes calls at the same time, and the quick ones do not wait for the slow ones', async () => {
  await using mcp = openServers([fakeChild('one')])
  const order: string[] = []
  const slow = mcp.text('one', 'sleep', { ms: 400 }).then(() => order.push('slow'))
  const quick = Array.from({ length: 20 }, (_, i) => mcp.text('one', 'echo', { text: String(i) }))
  expect(await Promise.all(quick)).toEqual(quick.map((_, i) => String(i)))
  order.push('quick')
  await slow
  expect(order).toEqual(['quick', 'slow'])
  expect(mcp.server('one')?.stats).toMatchObject({ calls: 21, errors: 0, active: 0, pool: undefined })
})

test('a child gets what any program needs and what is configured, and nothing of ours', async () => {
  process.env.GATEHOUSE_TEST_SECRET = 'not-for-children'
  await using mcp = openServers([fakeChild('one', 'well', { env: { mixedCase: 'kept' } })])
  const env = JSON.parse(await mcp.text('one', 'env'))
  delete process.env.GATEHOUSE_TEST_SECRET
  expect(env).toMatchObject({ PATH: process.env.PATH, mixedCase: 'kept' })
  expect(Object.keys(env)).not.toContain('GATEHOUSE_TEST_SECRET')
})

test('what a tool says of its failure is a result, what the server says is a failure', async () => {
  await using mcp = openServers([fakeChild('one')])
  expect(await mcp.call({ server: 'one', tool: 'fails' })).toMatchObject({ isError: true, content: [{ text: 'it does not work' }] })
  expect(await failureOf(mcp.call({ server: 'one', tool: 'refuses' }))).toBe('refused: wrong arguments')
  expect(await failureOf(mcp.call({ server: 'one', tool: 'no-result' }))).toStartWith('broken: the server answered with something')
  expect(await failureOf(mcp.call({ server: 'two', tool: 'echo' }))).toBe('unknown: there is no MCP server "two"')
})

test('progress is told, also what comes in one piece with the answer', async () => {
  await using mcp = openServers([fakeChild('one')])
  for (let i = 0; i < 20; i++) {
    const heard: unknown[] = []
    await mcp.call({ server: 'one', tool: 'progress', onProgress: ({ progress, message }) => heard.push([progress, message]) })
    expect(heard).toEqual([
      [1, 'step 1'],
      [2, 'step 2'],
    ])
  }
})

test('a call that is never answered ends with its time, and the server hears that it is cancelled', async () => {
  await using mcp = openServers([fakeChild('one', 'well', { timeout: 2_000 })])
  await mcp.stateOf('one', 'healthy')
  expect(await failureOf(mcp.call({ server: 'one', tool: 'silent', timeoutMs: 100 }))).toBe(
    'timeout: the MCP server "one" did not answer within 0.1 s',
  )
  // the server's own limit is the shorter one here
  expect(await failureOf(mcp.call({ server: 'one', tool: 'silent', timeoutMs: 60_000 }))).toBe(
    'timeout: the MCP server "one" did not answer within 2 s',
  )
  const { cancelled } = JSON.parse(await mcp.text('one', 'seen'))
  expect(cancelled).toHaveLength(2)
  expect(mcp.server('one')?.stats).toMatchObject({ calls: 3, errors: 2, active: 0 })
})

test('a call ends when its caller leaves, and one that has ended is not cancelled afterwards', async () => {
  await using mcp = openServers([fakeChild('one')])
  const caller = new AbortController()
  await mcp.call({ server: 'one', tool: 'echo', args: {}, signal: caller.signal })
  const there = Promise.withResolvers<void>()
  const call = mcp.call({ server: 'one', tool: 'silent', signal: caller.signal, onProgress: () => there.resolve() })
  await there.promise
  caller.abort(new Error('the client left'))
  expect(await failureOf(call)).toBe('the client left')
  expect(JSON.parse(await mcp.text('one', 'seen')).cancelled).toHaveLength(1)
})

test('a crash fails the calls it had at once, and the next call has a new server', async () => {
  await using mcp = openServers([fakeChild('one')])
  const first = await mcp.text('one', 'pid')
  const sleeping = failureOf(mcp.call({ server: 'one', tool: 'silent' }))
  expect(await failureOf(mcp.call({ server: 'one', tool: 'crash' }))).toStartWith('gone:')
  expect(await sleeping).toStartWith('gone:')
  const second = await mcp.text('one', 'pid')
  expect(second).not.toBe(first)
  expect(mcp.server('one')).toMatchObject({ state: 'healthy', lastError: 'it was ended by SIGKILL' })
  expect(mcp.tools().length).toBeGreaterThan(0)
})

test('a server that exits at once is tried again, after pauses that grow', async () => {
  await using mcp = openServers([fakeChild('one', 'exit')], {}, { firstPauseMs: 100, longestPauseMs: 10_000 })
  const starts = () => mcp.lines.filter(line => line === 'debug MCP server "one" says: I will not').length
  await mcp.until('the third try', () => starts() === 3)
  expect(mcp.server('one')).toMatchObject({ state: 'unhealthy', lastError: 'it exited with code 3' })
  // the log tells of it once
  expect(mcp.lines.filter(line => line.startsWith('warn'))).toEqual(['warn MCP server "one" is not there: it exited with code 3'])
  expect(await failureOf(mcp.call({ server: 'one', tool: 'echo' }))).toBe('unavailable: it exited with code 3')
})

test('a command that is not there hurts no other server', async () => {
  await using mcp = openServers([{ name: 'bad', command: 'no-such-command' }, fakeChild('good')])
  expect(await mcp.text('good', 'echo', { text: 'x' })).toBe('x')
  await mcp.stateOf('bad', 'unhealthy')
  expect(mcp.server('bad')?.lastError).toBe('the command "no-such-command" was not found; is it installed, and on the PATH?')
  expect(mcp.server('bad')?.health).toMatchObject({ status: 'unhealthy', lastSuccess: undefined })
})

test('a server that hangs when it is greeted is given up after its time, and ended', async () => {
  await using mcp = openServers([fakeChild('one', 'hang', { timeout: 300 })])
  await mcp.stateOf('one', 'unhealthy')
  expect(mcp.server('one')?.lastError).toBe('it did not answer within 0.3 s')
})

test('lines that are no messages are skipped, and told once', async () => {
  await using mcp = openServers([fakeChild('one')])
  expect(await mcp.text('one', 'garbage')).toBe('after garbage')
  expect(await mcp.text('one', 'garbage')).toBe('after garbage')
  expect(mcp.lines.filter(line => line.includes('no messages'))).toEqual([
    'warn MCP server "one" writes lines to its stdout that are no messages: Starting up...',
  ])
})

test('a burst of notifications holds up nobody', async () => {
  await using mcp = openServers([fakeChild('one')])
  await mcp.stateOf('one', 'healthy')
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  expect(await mcp.text('one', 'burst', { count: 50_000 })).toBe('done')
  clearInterval(timer)
  expect(turns).toBeGreaterThan(10)
})

test('a result of 5 MB arrives whole', async () => {
  await using mcp = openServers([fakeChild('one')])
  expect((await mcp.text('one', 'big', { size: 5_000_000 })).length).toBe(5_000_000)
})

test('an answer with the wrong id is nobody’s', async () => {
  await using mcp = openServers([fakeChild('one')])
  expect(await failureOf(mcp.call({ server: 'one', tool: 'wrong-id', timeoutMs: 300 }))).toStartWith('timeout:')
  expect(await mcp.text('one', 'echo', { text: 'still there' })).toBe('still there')
})

test('grandchildren go with the server, in whatever session they are', async () => {
  const mcp = openServers([fakeChild('one')])
  const pids = JSON.parse(await mcp.text('one', 'grandchildren')) as number[]
  expect(pids.map(isAlive)).toEqual([true, true, true])
  await mcp.close(1_000)
  await gone(pids)
})

test('grandchildren of a server that crashes go, too', async () => {
  await using mcp = openServers([fakeChild('one')])
  const pids = JSON.parse(await mcp.text('one', 'grandchildren')) as number[]
  await failureOf(mcp.call({ server: 'one', tool: 'crash' }))
  await gone(pids)
})

test('a server that has closed its ears is started again', async () => {
  await using mcp = openServers([fakeChild('one')])
  const pid = await mcp.text('one', 'pid')
  expect(await mcp.text('one', 'close-stdin')).toBe('I do not listen any more')
  await failureOf(mcp.call({ server: 'one', tool: 'echo', timeoutMs: 2_000 }))
  expect(await mcp.text('one', 'pid')).not.toBe(pid)
})

test('a server that has closed its mouth is started again', async () => {
  await using mcp = openServers([fakeChild('one')])
  const pid = await mcp.text('one', 'pid')
  expect(await failureOf(mcp.call({ server: 'one', tool: 'close-stdout' }))).toStartWith('gone:')
  expect(mcp.server('one')?.lastError).toBe('it closed its output')
  expect(await mcp.text('one', 'pid')).not.toBe(pid)
})

test('a server that hangs is found by its pings and started again', async () => {
  await using mcp = openServers([fakeChild('one', 'well', { timeout: 500 })], { health_check_interval: 50, health_check_timeout: 100 })
  const pid = await mcp.text('one', 'pid')
  expect(await failureOf(mcp.call({ server: 'one', tool: 'freeze' }))).toStartWith('timeout:')
  await mcp.stateOf('one', 'unhealthy')
  expect(mcp.server('one')?.lastError).toBe('it did not answer a ping within 0.1 s')
  await gone([Number(pid)])
  await mcp.stateOf('one', 'healthy')
  expect(await mcp.text('one', 'pid')).not.toBe(pid)
})

test('a server that is deaf to the end of its input and to SIGTERM is gone within the grace', async () => {
  const mcp = openServers([fakeChild('one', 'deaf')])
  const pid = Number(await mcp.text('one', 'pid'))
  await mcp.close(300)
  expect(isAlive(pid)).toBe(false)
})

test('a tool that is new is there when the server has said so, however often it does', async () => {
  await using mcp = openServers([fakeChild('one')])
  await mcp.stateOf('one', 'healthy')
  const before = mcp.tools().length
  await mcp.text('one', 'add-tool')
  await mcp.until('the tool is there', () => mcp.tools().some(({ name }) => name === 'extra-0'))
  expect(mcp.tools().length).toBe(before + 1)
  const { seen } = JSON.parse(await mcp.text('one', 'seen')) as { seen: string[] }
  const pages = Math.ceil(mcp.tools().length / 2)
  // at the beginning, and for the burst; once more if a part of it came late
  expect(seen.filter(method => method === 'tools/list').length).toBeLessThanOrEqual(3 * pages)
})

test('lists are asked for again when they are as old as the config allows', async () => {
  await using mcp = openServers([fakeChild('one')], { cache_ttl: 100 })
  await mcp.stateOf('one', 'healthy')
  const asked = async () =>
    (JSON.parse(await mcp.text('one', 'seen')) as { seen: string[] }).seen.filter(method => method === 'prompts/list').length
  for (const deadline = performance.now() + 10_000; (await asked()) < 3 && performance.now() < deadline; ) await Bun.sleep(20)
  expect(await asked()).toBeGreaterThanOrEqual(3)
})

test('a config starts, changes and stops servers, and leaves the others alone', async () => {
  await using mcp = openServers([fakeChild('a'), fakeChild('b'), fakeChild('c')])
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(name => mcp.text(name, 'pid')))
  mcp.configure(mcpConfig([fakeChild('d'), fakeChild('a'), fakeChild('b', 'well', { env: { NEW: '1' } })], { cache_ttl: 1_000_000 }))
  expect(mcp.servers().map(({ name, state }) => `${name} ${state}`)).toEqual(['d starting', 'a healthy', 'b starting'])
  expect(await mcp.text('a', 'pid')).toBe(a as string)
  expect(JSON.parse(await mcp.text('b', 'env')).NEW).toBe('1')
  expect(await mcp.text('d', 'echo', { text: 'd' })).toBe('d')
  expect(await failureOf(mcp.call({ server: 'c', tool: 'echo' }))).toStartWith('unknown:')
  await gone([Number(b), Number(c)])
  mcp.configure(mcpConfig([fakeChild('a')], { enabled: false }))
  expect(mcp.server('a')?.state).toBe('stopped')
  expect(await failureOf(mcp.call({ server: 'a', tool: 'echo' }))).toBe('unavailable: the server is stopped')
  await gone([Number(a)])
})

test('a call that a server has when its config changes may end', async () => {
  await using mcp = openServers([fakeChild('a')])
  await mcp.stateOf('a', 'healthy')
  const call = mcp.text('a', 'sleep', { ms: 300 })
  await mcp.until('it is on its way', () => mcp.server('a')?.stats.active === 1)
  mcp.configure(mcpConfig([fakeChild('a', 'well', { env: { NEW: '1' } })]))
  expect(await call).toBe('slept')
  expect(JSON.parse(await mcp.text('a', 'env')).NEW).toBe('1')
})
