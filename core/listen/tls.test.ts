import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type PeerCertificate } from 'node:tls'
import { makeCertificate } from '../testing/certificate.ts'
import { fakeOllama } from '../testing/fake-ollama.ts'
import { openHouse } from '../testing/open-house.ts'
import { readTlsPair } from './tls-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'))
afterAll(() => rmSync(folder, { recursive: true }))
const tls = { enabled: true, cert_file: join(folder, 'cert.pem'), key_file: join(folder, 'key.pem') }
const echo = { backends: { up: { type: 'echo' } }, tls }
/** Puts a pair where the config looks for it. */
const install = ({ cert, key }: { readonly cert?: string; readonly key?: string }) => {
  for (const [path, text] of [
    [tls.cert_file, cert],
    [tls.key_file, key],
  ] as const) {
    rmSync(path, { force: true })
    if (text !== undefined) writeFileSync(path, text)
  }
}
const insecure = { tls: { rejectUnauthorized: false } }
const body = (model: string, stream = false) => JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hi' }] })
const chat = (url: string, init: BunFetchRequestInit = {}) =>
  fetch(`${url}/v1/chat/completions`, { method: 'POST', body: body('echo'), ...insecure, ...init })

/** The name in the certificate a new connection gets. */
function certificateOf(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false }, () => {
      const { subject } = socket.getPeerCertificate() as PeerCertificate
      socket.destroy()
      resolve(String(subject.CN))
    })
    socket.on('error', reject)
  })
}

test('https answers, and the caller has its own address', async () => {
  const pair = makeCertificate()
  install(pair)
  await using house = await openHouse({ yaml: echo })
  expect(house.url).toStartWith('https://')
  const response = await fetch(`${house.url}/v1/models`, { tls: { ca: pair.cert } })
  expect(response.status).toBe(200)
  expect((await chat(house.url, { headers: { origin: house.url } })).status).toBe(200)
  expect(house.lines.filter(({ message }) => message === 'HTTP request').map(({ ip }) => ip)).toEqual(['127.0.0.1', '127.0.0.1'])
})

// only Linux has all of 127.0.0.0/8
test.skipIf(process.platform !== 'linux')('a caller who hangs up at once has its own address, too', async () => {
  install(makeCertificate())
  await using house = await openHouse({ yaml: echo })
  const port = Number(new URL(house.url).port)
  const hangUp = (path: string) =>
    new Promise<void>(resolve => {
      const tcp = connectTcp({ host: '127.0.0.1', port, localAddress: '127.0.0.2' })
      const socket = connect({ socket: tcp, rejectUnauthorized: false }, () => {
        socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`, () => socket.destroy())
      })
      socket.on('error', () => {})
      tcp.on('error', () => {}).on('close', () => resolve())
    })
  for (let i = 0; i < 40; i++) await hangUp(`/hung-up-${i}`)
  const told = () => house.lines.filter(({ path }) => String(path).startsWith('/hung-up-'))
  for (let i = 0; i < 200 && told().length < 20; i++) await Bun.sleep(10)
  expect(told().length).toBeGreaterThanOrEqual(20)
  expect(new Set(told().map(({ ip }) => ip))).toEqual(new Set(['127.0.0.2']))
})

test('plain http on the port is not answered', async () => {
  install(makeCertificate())
  await using house = await openHouse({ yaml: echo })
  const answer = await new Promise<string>(resolve => {
    let text = ''
    const socket = connectTcp(Number(new URL(house.url).port), '127.0.0.1', () =>
      socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    )
    socket.on('data', bytes => {
      text += bytes.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
  expect(answer).not.toContain('200')
})

describe('wrong files', () => {
  const pair = makeCertificate()
  test.each([
    ['no certificate', { key: pair.key }, 'tls.cert_file: '],
    ['a certificate that is none', { cert: 'hello', key: pair.key }, 'is not a PEM file that can be used'],
    ['a key that is none', { cert: pair.cert, key: pair.cert }, 'tls.key_file: '],
    [
      'a chain that is broken',
      { cert: `${pair.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`, key: pair.key },
      'tls.cert_file: ',
    ],
    ['the key of another', { cert: pair.cert, key: makeCertificate().key }, 'is not the key of the certificate'],
  ])('%s stops the start', async (_, pair, message) => {
    install(pair)
    await expect(openHouse({ yaml: echo })).rejects.toThrow(message)
  })
})

test('another certificate reaches new connections; a request in flight ends on the old one', async () => {
  await using ollama = await fakeOllama()
  const yaml = { backends: { home: { type: 'ollama', base_url: ollama.url } }, tls }
  install(makeCertificate('first'))
  await using house = await openHouse({ yaml })
  const inFlight = await chat(house.url, { body: body('hold-mid', true) })
  expect(await certificateOf(house.url)).toBe('first')
  install(makeCertificate('second'))
  await house.reload(yaml)
  expect(await certificateOf(house.url)).toBe('second')
  ollama.release()
  expect(await inFlight.text()).toEndWith('data: [DONE]\n\n')
})

test('twenty new certificates while clients keep coming: no request is dropped', async () => {
  const pairs = [makeCertificate('even'), makeCertificate('odd')] as const
  install(pairs[0])
  await using house = await openHouse({ yaml: echo })
  let done = false
  let answered = 0
  const failures: unknown[] = []
  const client = async (keepalive: boolean) => {
    while (!done) {
      const response = await chat(house.url, { keepalive }).catch((error: unknown) => failures.push(error))
      if (response instanceof Response) await response.text()
      answered++
    }
  }
  const clients = [...Array(8)].map((_, index) => client(index % 2 === 0))
  for (let swap = 1; swap <= 20; swap++) {
    const before = answered
    install(pairs[swap % 2] as (typeof pairs)[0])
    await house.reload(echo)
    while (answered < before + 10) await Bun.sleep(1)
  }
  done = true
  await Promise.all(clients)
  expect(failures).toEqual([])
  expect(answered).toBeGreaterThan(200)
})

test('large bodies pass both ways unchanged', async () => {
  install(makeCertificate())
  await using house = await openHouse({ yaml: echo })
  const content = Array.from({ length: 300_000 }, (_, index) => `w${index}`).join(' ')
  const response = await chat(house.url, { body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content }] }) })
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] }
  expect(choices[0]?.message.content).toContain('w299999')
})

test('a client that leaves is gone for the upstream too', async () => {
  await using ollama = await fakeOllama()
  install(makeCertificate())
  await using house = await openHouse({ yaml: { backends: { home: { type: 'ollama', base_url: ollama.url } }, tls } })
  const leave = new AbortController()
  const response = await chat(house.url, { body: body('endless', true), signal: leave.signal })
  await response.body?.getReader().read()
  leave.abort()
  await ollama.until(() => ollama.streams[0]?.ended === 'client-left', 'the upstream sees the close')
})

test('streams that end during a stop reach their clients whole', async () => {
  await using ollama = await fakeOllama({ chunkDelayMs: 5 })
  install(makeCertificate())
  const house = await openHouse({ yaml: { backends: { home: { type: 'ollama', base_url: ollama.url } }, tls } })
  const streams = await Promise.all(
    Array.from({ length: 100 }, () => chat(house.url, { body: body('burst:40:5', true), keepalive: false })),
  )
  const texts = streams.map(response => response.text())
  await Promise.all([house.serving.stop(20_000), ...texts])
  for (const text of texts) expect(await text).toEndWith('data: [DONE]\n\n')
  await house.stop()
})

test('a certificate that is not valid now is served with a warning', async () => {
  const { cert, key } = makeCertificate()
  install({ cert, key })
  const of = async (now: number) => (await readTlsPair(tls, now))?.warnings
  expect(await of(Date.now())).toEqual([])
  expect(await of(Date.now() + 10 * 86_400_000)).toEqual([expect.stringContaining('expired on')])
  expect(await of(Date.now() - 10 * 86_400_000)).toEqual([expect.stringContaining('is not valid before')])
})
