/** Long proofs of the kernel: run by `npm run test:long`. */
import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { openHouse } from './testing/open-house.ts'

/** Resolves with the milliseconds until the server closes the connection, or Infinity. */
function closedAfter(url: string, first: string, patienceMs: number): Promise<number> {
  const from = performance.now()
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(first))
  return new Promise(resolve => {
    const timer = setTimeout(() => {
      socket.destroy()
      resolve(Number.POSITIVE_INFINITY)
    }, patienceMs)
    socket.on('data', () => {})
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(performance.now() - from)
    })
  })
}

test('connections that say nothing more are closed: silent ones, half a head, half a body, and after an answer', async () => {
  await using house = await openHouse({ yaml: { backends: { up: { type: 'echo' } } } })
  const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hi' }] })
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  const times = await Promise.all(
    [
      'POST /v1/chat',
      `${head}{"mod`,
      head + body,
      'GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /nope HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ].map(first => closedAfter(house.url, first, 75_000)),
  )
  console.log('closed after', times.map(ms => `${(ms / 1000).toFixed(0)} s`).join(', '))
  for (const ms of times) expect(ms).toBeLessThan(75_000)
  expect(house.serving.gateway.exchanges.list()).toHaveLength(0)
})

test('an upload of 2.5 kB a second is read to its end', async () => {
  await using house = await openHouse({ yaml: { backends: { up: { type: 'echo' } } } })
  const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'y '.repeat(50_000) }] })
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  const socket = connect(Number(new URL(house.url).port), '127.0.0.1')
  socket.write(head)
  const answer = new Promise<string>(resolve => socket.once('data', data => resolve(String(data))).once('close', () => resolve('closed')))
  for (let at = 0; at < body.length; at += 2500) {
    socket.write(body.slice(at, at + 2500))
    await Bun.sleep(1000)
  }
  expect(await answer).toStartWith('HTTP/1.1 200')
  socket.destroy()
})
