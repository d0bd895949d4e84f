import { describe, expect, test } from 'bun:test'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failureOf, openServers, type ServerPart } from './testing/open-servers.ts'
import { everythingOverHttp, programOf } from './testing/real-servers.ts'

// Bun is the runtime here, as in the binary, which needs no node
const program = (name: string, ...args: string[]): ServerPart => ({ name, command: process.execPath, args })

const everything: readonly [string, () => Promise<{ readonly part: ServerPart } & AsyncDisposable>][] = [
  ['stdio', async () => ({ part: program('every', programOf('everything'), 'stdio'), async [Symbol.asyncDispose]() {} })],
  ['Streamable HTTP', async () => reached(await everythingOverHttp('streamableHttp'), 'http', '/mcp')],
  ['HTTP with SSE', async () => reached(await everythingOverHttp('sse'), 'sse', '/sse')],
]

const reached = (server: { readonly port: number } & AsyncDisposable, transport: 'http' | 'sse', path: string) => ({
  part: { name: 'every', transport, url: `http://127.0.0.1:${server.port}${path}` } as ServerPart,
  [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
})

describe.each(everything)('server-everything over %s', (_, start) => {
  test('tools, progress, limits, resources, templates and prompts', async () => {
    await using server = await start()
    await using mcp = openServers([server.part])
    expect(await mcp.text('every', 'echo', { message: 'hello' })).toBe('Echo: hello')
    expect(await mcp.text('every', 'get-sum', { a: 2, b: 3 })).toContain('5')
    expect(mcp.server('every')?.counts).toMatchObject({ resourceTemplates: 2, prompts: 4 })
    expect(mcp.tools().find(({ name }) => name === 'get-sum')?.inputSchema.properties).toMatchObject({ a: { type: 'number' } })
    // it can only be called as a task
    expect(mcp.tools().map(({ name }) => name)).not.toContain('simulate-research-query')

    const steps: number[] = []
    const args = { duration: 0.3, steps: 3 }
    await mcp.call({ server: 'every', tool: 'trigger-long-running-operation', args, onProgress: ({ progress }) => steps.push(progress) })
    expect(steps.slice(0, 2)).toEqual([1, 2])
    const late = mcp.call({ server: 'every', tool: 'trigger-long-running-operation', args: { duration: 30, steps: 1 }, timeoutMs: 200 })
    expect(await failureOf(late)).toStartWith('timeout:')

    const image = await mcp.call({ server: 'every', tool: 'get-tiny-image' })
    expect(image.content.map(({ type }) => type)).toContain('image')
    const uri = mcp.resources()[0]?.uri as string
    expect((await mcp.readResource({ server: 'every', uri })).contents[0]?.uri).toBe(uri)
    const prompt = await mcp.getPrompt({ server: 'every', prompt: 'args-prompt', args: { city: 'Berlin' } })
    expect(JSON.stringify(prompt.messages)).toContain('Berlin')
    expect((await mcp.check('every')).status).toBe('healthy')
    expect(await mcp.refresh('every')).toEqual([{ server: 'every', errors: [] }])
  })
})

test('server-everything that was started again: its session is gone, and the next call has a new one', async () => {
  const first = await everythingOverHttp('streamableHttp')
  await using mcp = openServers([{ name: 'every', transport: 'http', url: `http://127.0.0.1:${first.port}/mcp` }])
  expect(await mcp.text('every', 'echo', { message: 'one' })).toBe('Echo: one')
  await first[Symbol.asyncDispose]()
  await using _second = await everythingOverHttp('streamableHttp', first.port)
  expect(await mcp.text('every', 'echo', { message: 'two' })).toBe('Echo: two')
})

test('server-filesystem and server-memory, at the same time', async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gatehouse-mcp-')))
  writeFileSync(join(folder, 'a.txt'), 'ALPHA')
  await using mcp = openServers([
    program('files', programOf('filesystem'), folder),
    { ...program('memory', programOf('memory')), env: { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') } },
  ])
  const [files] = await Promise.all([
    mcp.text('files', 'read_text_file', { path: join(folder, 'a.txt') }),
    mcp.text('memory', 'create_entities', { entities: [{ name: 'Ada', entityType: 'person', observations: ['likes tea'] }] }),
  ])
  expect(files).toBe('ALPHA')
  expect(await mcp.text('memory', 'search_nodes', { query: 'tea' })).toContain('Ada')
  const outside = await mcp.call({ server: 'files', tool: 'read_text_file', args: { path: '/etc/hostname' } })
  expect(outside.isError).toBe(true)
  rmSync(folder, { recursive: true })
})

test('a server that npx would run is run without npx and node', async () => {
  await using mcp = openServers([
    { name: 'memory', command: 'npx', args: ['-y', '@modelcontextprotocol/server-memory'], env: { PATH: '/nowhere' } },
  ])
  expect(await mcp.text('memory', 'read_graph')).toContain('entities')
})
