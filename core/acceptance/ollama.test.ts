import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { freePort } from '../discover/testing.ts'
import { findOllama } from '../ollama/find-ollama.ts'
import { stubOllama } from '../ollama/testing/stub-ollama.ts'
import { gone } from '../processes/testing/alive.ts'
import { fakeOllama } from '../testing/fake-ollama.ts'
import { ownAddresses } from './addresses.ts'
import { eventually, openGate, openPair } from './harness.ts'

setDefaultTimeout(60_000) // Ollama has 30 s to come up

const emptyPath = '/nonexistent'
// one that is installed in the usual places would be found without a PATH, and would run
const installed = findOllama({ PATH: emptyPath }) !== undefined
const autostart = { OLLAMA_AUTOSTART: 'true' }

test('A11 without an Ollama, and without one to start, until it comes', async () => {
  const port = await freePort()
  const env = { ...(installed ? {} : autostart), PATH: emptyPath }
  await using gate = await openGate({ ollama: `http://127.0.0.1:${port}`, env })
  if (!installed) await gate.gatehouse.until(({ stdout }) => stdout.includes('is not installed'), 'the line that says so')
  expect((await gate.ask('/health')).status).toBe(503)
  await using ollama = await fakeOllama({ port })
  expect((await gate.ask('/health')).status).toBe(200)
  expect((await gate.chat()).status).toBe(200)
  expect(ollama.requests.some(({ path }) => path === '/api/chat')).toBe(true)
})

describe('A12 Ollama is started', () => {
  test('once, when it is to be on this machine and is not there', async () => {
    using stub = await stubOllama()
    await using gate = await openGate({ ollama: `http://127.0.0.1:${await freePort()}`, env: { ...stub.env, ...autostart } })
    await eventually(async () => (await gate.ask('/health')).status === 200, 'a healthy gateway', 30_000)
    expect((await gate.chat()).status).toBe(200)
    expect(await gate.end()).toBe(0)
    expect(stub.calls().map(({ args }) => args)).toEqual([['serve']])
    await gone(stub.calls().flatMap(({ pids }) => pids))
  })

  test('never when it is to be on another', async () => {
    using stub = await stubOllama()
    const [host = '198.51.100.1'] = ownAddresses() // nobody listens there either
    const env = { ...stub.env, ...autostart, HEALTH_CHECK_TIMEOUT: '300ms' }
    await using gate = await openGate({ ollama: `http://${host}:${await freePort()}`, env })
    expect((await gate.ask('/health')).status).toBe(503)
    expect(await gate.end()).toBe(0)
    expect(stub.calls()).toEqual([])
  })
})

test('A116 Ollama goes and comes back', async () => {
  await using pair = await openPair()
  expect((await pair.chat()).status).toBe(200)
  await pair.ollama.stop()
  expect((await pair.chat()).status).toBe(502)
  await pair.restartOllama()
  expect((await pair.chat()).status).toBe(200)
  expect(pair.chatsSeen()).toBe(1)
})
