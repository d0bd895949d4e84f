import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { freePort } from '../discover/testing.ts'
import { fakeOllama } from '../testing/fake-ollama.ts'
import { runGatehouse, startGatehouse } from '../testing/gatehouse-process.ts'
import { listenOnFreePort } from '../testing/server/free-port.ts'
import { environment, gateOf, nowhere, openGate } from './harness.ts'

setDefaultTimeout(30_000) // each starts processes, perhaps on a busy machine

const quiet = { OLLAMA_HOST: nowhere, OLLAMA_AUTOSTART: 'false' }
const serve = ['serve']
const llamagate = 'llamagate.yaml'
const portOf = ({ url }: { readonly url: string }) => Number(new URL(url).port)

test('A1 nothing but the address of Ollama', async () => {
  await using ollama = await fakeOllama()
  const env = { OLLAMA_HOST: ollama.url }
  const first = await startGatehouse({ args: serve, env }).catch((error: Error) => error)
  // somebody's own gateway may run on the machine that tests; then ours has to name the port it wanted
  if (first instanceof Error) expect(first.message).toMatch(/port 11435 .*taken/)
  else expect(portOf(first)).toBe(11_435)
  await using gatehouse = first instanceof Error ? await startGatehouse({ env }) : first
  const gate = gateOf(gatehouse)
  await gatehouse.until(({ stdout }) => stdout.includes('authentication'), 'the line about authentication')
  expect(gate.lines()[0]).toMatchObject({
    level: 'info',
    ollama_host: ollama.url,
    host: '127.0.0.1',
    port: portOf(gate),
    rate_limit_rps: 50,
  })
  expect(gate.lines()).toContainEqual(
    expect.objectContaining({ level: 'warn', message: expect.stringContaining('authentication disabled') }),
  )
  expect((await gate.ask('/health', { headers: {} })).status).toBe(200)
})

describe('A2 a value that cannot be', () => {
  test.each<readonly [name: string, value: string, more?: Record<string, string>]>([
    ['PORT', 'abc'],
    ['PORT', '0'],
    ['PORT', '70000'],
    ['RATE_LIMIT_RPS', '0'],
    ['RATE_LIMIT_RPS', 'x'],
    ['TIMEOUT', '5'],
    ['TIMEOUT', '31m'],
    ['TIMEOUT', '0s'],
    ['OLLAMA_HOST', 'ftp://h'],
    ['OLLAMA_HOST', 'localhost:1'],
    ['TLS_ENABLED', 'true'],
    ['MCP_MAX_TOOL_ROUNDS', '0', { MCP_ENABLED: 'true' }],
  ])('%s=%s', async (name, value, more = {}) => {
    const { code, stderr } = await runGatehouse({ env: { ...quiet, ...more, [name]: value } })
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(name)])
    expect(code).toBe(1)
  })
})

describe('A3 the longest time limit, and one in two units', () => {
  test.each([
    ['30m', 1800],
    ['1m30s', 90],
  ])('TIMEOUT=%s', async (TIMEOUT, seconds) => {
    await using gate = await openGate({ env: { TIMEOUT } })
    expect((await gate.ask('/v1/system/config')).json()).toMatchObject({ data: { Timeout: seconds * 1e9 } })
  })
})

test('A4 the environment wins over .env', async () => {
  const other = createServer()
  const [inDotenv, inEnvironment] = [await listenOnFreePort(other), await freePort()]
  const files = { '.env': `PORT=${inDotenv}\nRATE_LIMIT_RPS=17\n` }
  await using gate = gateOf(await startGatehouse({ args: serve, files, env: { ...quiet, PORT: String(inEnvironment) } }))
  other.close()
  expect(portOf(gate)).toBe(inEnvironment)
  expect(gate.lines()[0]).toMatchObject({ rate_limit_rps: 17 })
})

test('A5 llamagate.yaml counts, and the environment wins over it', async () => {
  const [inFile, inEnvironment] = [await freePort(), await freePort()]
  const files = { [llamagate]: `port: "${inFile}"\n` }
  {
    await using gatehouse = await startGatehouse({ args: serve, files, env: quiet })
    expect(portOf(gatehouse)).toBe(inFile)
    expect((await fetch(`http://127.0.0.1:${inFile}/health/live`)).status).toBe(200)
  }
  await using gatehouse = await startGatehouse({ args: serve, files, env: { ...quiet, PORT: String(inEnvironment) } })
  expect(portOf(gatehouse)).toBe(inEnvironment)
})

test('A6 the config in the home folder, with an executable called llamagate in the working directory', async () => {
  const files = { '.llamagate/llamagate.yaml': 'api_key: from-home\nrate_limit_rps: 17\n', llamagate: '\u007fELF\u0002\u0001\u0001' }
  await using gate = gateOf(await startGatehouse({ files, env: quiet }))
  expect(gate.lines()).toContainEqual(expect.objectContaining({ message: 'Starting gatehouse', rate_limit_rps: 17 }))
  expect((await gate.ask('/v1/system/info', { headers: {} })).status).toBe(401)
  expect((await gate.ask('/v1/system/info', { headers: { 'x-api-key': 'from-home' } })).status).toBe(200)
})

describe('A7 a file that is no YAML', () => {
  test.each([llamagate, 'gatehouse.yaml'])('%s', async name => {
    const { code, stderr } = await runGatehouse({ files: { [name]: 'port: "3333\nmcp: [\n' }, env: quiet })
    expect(stderr).toContain(name)
    expect(code).toBe(1)
  })
})

describe('A8 servers of tools stand in the file', () => {
  test.each([false, true])('and mcp.enabled is %p', async enabled => {
    const server = `{ name: one, enabled: true, transport: stdio, command: sh, args: [-c, 'echo > started; exec cat'] }`
    const files = { [llamagate]: `mcp:\n  enabled: ${enabled}\n  servers: [${server}]\n` }
    await using gate = await openGate({ files })
    expect((await gate.ask('/v1/system/info')).json()).toMatchObject({ data: { capabilities: { mcp_enabled: enabled } } })
    if (enabled) return
    expect((await gate.ask('/v1/mcp/servers')).status).not.toBe(200)
    expect(await gate.end()).toBe(0)
    expect(existsSync(join(gate.gatehouse.folder, 'started'))).toBe(false)
  })
})

test('A9 a second one on the same port', async () => {
  await using gate = await openGate()
  const { code, stderr } = await runGatehouse({ args: [...serve, '--port', String(portOf(gate))], env: environment() })
  expect(stderr).toMatch(new RegExp(`port ${portOf(gate)} .*(taken|in use)`))
  expect(code).toBe(1)
  expect((await gate.ask('/health/live')).status).toBe(200)
})

test('A10 --version', async () => {
  const { code, stdout, stderr } = await runGatehouse({ args: ['--version'] })
  expect(stdout).toMatch(/^gatehouse \d+\.\d+\.\d+\S*\n$/)
  expect(stderr).toBe('')
  expect(code).toBe(0)
})
