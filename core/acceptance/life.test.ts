import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { makeCertificate } from '../testing/certificate.ts'
import { runGatehouse, startGatehouse } from '../testing/gatehouse-process.ts'
import { knock, ownAddresses, say } from './addresses.ts'
import { environment, eventually, gateOf, openGate, openPair } from './harness.ts'

setDefaultTimeout(30_000)

const portOf = ({ url }: { readonly url: string }) => Number(new URL(url).port)

test('A110 a signal in the middle of an answer', async () => {
  await using pair = await openPair()
  let over = false
  const answer = pair.chat({ model: 'hold' }).finally(() => {
    over = true
  }) // as `slow`, but it ends when the test says so
  await pair.ollama.until(() => pair.chatsSeen() === 1, 'Ollama works on it')
  pair.gatehouse.signal('SIGTERM')
  await eventually(async () => (await knock('127.0.0.1', portOf(pair))) === 'ECONNREFUSED', 'a refused connection')
  expect(over).toBe(false)
  pair.ollama.release()
  const { status, json } = await answer
  expect(status).toBe(200)
  expect(json()).toMatchObject({ choices: [{ message: { content: expect.stringMatching(/^n=\d+$/) }, finish_reason: 'stop' }] })
  expect(await pair.gatehouse.exited).toBe(0)
})

describe('A114 TLS', () => {
  const pair = makeCertificate()
  const files = { 'cert.pem': pair.cert, 'key.pem': pair.key }
  const env = { TLS_ENABLED: 'true', TLS_CERT_FILE: 'cert.pem', TLS_KEY_FILE: 'key.pem' }

  test('https is answered, http is not', async () => {
    await using gate = await openGate({ env, files })
    const port = portOf(gate)
    const { status } = await fetch(`https://localhost:${port}/health/live`, { tls: { ca: pair.cert } })
    expect(status).toBe(200)
    const plain = await say('127.0.0.1', port, 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    if (plain.startsWith('HTTP/')) expect(plain).toStartWith('HTTP/1.1 400 ')
    expect(plain).not.toContain('200')
    expect((await fetch(`https://localhost:${port}/health/live`, { tls: { ca: pair.cert } })).status).toBe(200)
  })

  test.each(Object.entries({ TLS_CERT_FILE: 'cert.pem', TLS_KEY_FILE: 'key.pem' }))('without the file of %s', async (_, missing) => {
    const rest = Object.fromEntries(Object.entries(files).filter(([name]) => name !== missing))
    const { code, stderr } = await runGatehouse({ env: { ...environment(), ...env }, files: rest })
    expect(stderr).toContain(missing)
    expect(code).toBe(1)
  })
})

describe('A115 who can reach it', () => {
  const addresses = ownAddresses()

  test.skipIf(addresses.length === 0)('this machine alone, by itself', async () => {
    await using gate = await openGate()
    const port = portOf(gate)
    expect(await knock('127.0.0.1', port)).toBe('open')
    for (const address of [...addresses, ...ownAddresses('IPv6')]) {
      expect([address, await knock(address, port)]).toEqual([address, 'ECONNREFUSED'])
    }
  })

  test('everybody when the host says so, and loudly when nobody is asked for a key', async () => {
    const env = { ...environment(), API_KEY: '', HOST: '0.0.0.0', AUTH: 'off' }
    await using gatehouse = await startGatehouse({ env })
    const gate = gateOf(gatehouse)
    for (const address of addresses) expect(await knock(address, portOf(gate))).toBe('open')
    expect((await gate.ask('/v1/system/info', { headers: {} })).status).toBe(200)
    await gatehouse.until(({ stdout }) => stdout.includes('authentication'), 'the line about authentication')
    const warning = { level: 'warn', message: expect.stringContaining('authentication disabled') }
    expect(gate.lines()).toContainEqual(expect.objectContaining(warning))
    expect(gatehouse.output.stderr).toContain('open')
  })

  test('everybody when the host says so, but with a key of its own when nobody said that none is needed', async () => {
    await using gate = await openGate({ env: { API_KEY: '', HOST: '0.0.0.0' } })
    expect((await gate.ask('/v1/system/info', { headers: {} })).status).toBe(401)
  })
})
