import { describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { openStream, plateau } from '../../core/testing/raw-client.ts'
import { deltaEvent, eventsOf, openBehind, streamed } from './testing/behind.ts'
import { arrived, eventually } from './testing/client.ts'
import type { CachingHouse } from './testing/house.ts'
import { blocksOf, errorOf } from './testing/streams.ts'

const asStream = { stream: true }
const withUsage = { stream: true, stream_options: { include_usage: true } }

describe('one who does not read', () => {
  const events = eventsOf(Array.from({ length: 300 }, (_, i) => `${i} ${'x'.repeat(40_000)}`))

  test.each([true, false])('delays nobody, and misses nothing (the first one: %p)', async first => {
    await using up = await openBehind(() => streamed(events.join('')))
    const idle = () => openStream(up.house.url, { model: 'm', messages: [{ role: 'user', content: 'hi' }], ...withUsage })
    const early = first ? await idle() : undefined
    if (early) await arrived(up.house, 1)
    const quick = up.house.open({ model: 'm', ...withUsage })
    const slow = early ?? (await idle())
    await arrived(up.house, 2).catch(() => {}) // the quick one may be through already
    expect([await quick.ended, quick.text === events.join('')]).toEqual(['complete', true])
    expect(slow.read()).toBe(0)
    slow.socket.resume()
    await eventually(() => slow.read() > events.join('').length, 'the rest')
    slow.socket.destroy()
    expect(up.asked()).toBe(1)
  })

  /** Sends a request and leaves the answer in the socket until it is read. */
  const askAndWait = (of: CachingHouse, id: string) => {
    const socket = connect(Number(new URL(of.url).port), '127.0.0.1')
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...withUsage })
    socket.write(`POST /v1/chat/completions HTTP/1.0\r\nx-request-id: ${id}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    return async () => {
      let text = ''
      for await (const bytes of socket) text += bytes
      return blocksOf(text.slice(text.indexOf('\r\n\r\n') + 4))
    }
  }
  const long = (count: number) => eventsOf(Array.from({ length: count }, (_, i) => `${i} ${'x'.repeat(90_000)}`))

  test('is left behind when the stream is too long to be kept, with an error it can read', async () => {
    const events = long(600)
    await using up = await openBehind(({ released }) => released.then(() => streamed(events.join(''))), {
      yaml: { cache: { max_bytes: '1MB' } },
    })
    const idle = askAndWait(up.house, 'idle')
    await arrived(up.house, 1)
    const quick = up.house.open({ model: 'm', ...withUsage })
    await arrived(up.house, 2)
    await eventually(() => up.asked() === 1, 'the upstream has it')
    up.release()
    expect([await quick.ended, quick.text === events.join('')]).toEqual(['complete', true])
    const blocks = await idle()
    expect(errorOf(blocks.at(-1) as string).code).toBe('reader_too_slow')
    expect(blocks.slice(0, -1).every((block, i) => block === events[i])).toBe(true)
    expect(await up.house.report()).toMatchObject({ entries: 0, bytes: 0 })
  })

  test.each(['joined', 'replayed'])('gets whole events, wherever it is when something ends it (%s)', async how => {
    const events = long(150)
    await using up = await openBehind(({ released }) => {
      const source = async function* () {
        yield events.slice(0, -1).join('')
        await released
        yield events.at(-1)
      }
      return streamed(source() as unknown as ReadableStream)
    })
    const quick = up.house.open({ model: 'm', ...withUsage })
    await quick.until(events.slice(0, -2).join('').length) // the usage waits for the end
    if (how === 'replayed') {
      up.release()
      await quick.ended
      await arrived(up.house, 0)
    }
    const idle = askAndWait(up.house, 'idle')
    const shown = () => up.house.serving.gateway.exchanges.list().filter(({ phase }) => phase === 'streaming').length
    await eventually(() => shown() === (how === 'joined' ? 2 : 1), 'its answer has begun')
    await Bun.sleep(50) // the more it has got, the more places there are to be cut at; any will do
    expect(up.house.serving.gateway.exchanges.cancel('idle')).toBe(true)
    const blocks = await idle()
    expect(errorOf(blocks.at(-1) as string).code).toBe('cancelled')
    expect(blocks.length).toBeGreaterThan(1)
    expect(blocks.slice(0, -1).every((block, i) => block === events[i])).toBe(true)
    up.release()
    expect(await quick.ended).toBe('complete')
    expect(up.asked()).toBe(1)
  })
})

test('heartbeats stand between events, for those who came later too', async () => {
  const heartbeat = ': keep-alive\n\n'
  const events = eventsOf(['x'.repeat(300_000), 'y'.repeat(100_000), 'z'])
  await using up = await openBehind(
    ({ released }) => {
      const source = async function* () {
        for (const event of events) {
          yield event
          if (event.length > 300_000) await released
        }
      }
      return streamed(source() as unknown as ReadableStream)
    },
    { yaml: { heartbeat: '20ms' } },
  )
  const first = up.house.open({ model: 'm', ...withUsage })
  await first.until(300_000)
  const later = [withUsage, asStream].map(how => up.house.open({ model: 'm', ...how }))
  const clients = [first, ...later]
  const beats = (text: string) => blocksOf(text).filter(block => block === heartbeat).length
  await eventually(() => clients.every(({ text }) => beats(text) >= 2), 'heartbeats')
  up.release()
  await Promise.all(clients.map(({ ended }) => ended))
  const shown = clients.map(({ text }) => blocksOf(text).filter(block => block !== heartbeat))
  expect(shown.map(blocks => blocks.join('') === events.join(''))).toEqual([true, true, false])
  expect(shown[2]?.every((block, i) => block === events.toSpliced(-2, 1)[i])).toBe(true)
  expect(up.asked()).toBe(1)
})

test('one who wanted it whole and left does not read on', async () => {
  let sent = 0
  const endless = new ReadableStream({
    pull(controller) {
      sent++
      controller.enqueue(deltaEvent(0, { content: 'x'.repeat(10_000) }))
    },
  })
  await using up = await openBehind(async ({ released }) => {
    await released
    return streamed(endless)
  })
  const messages = [{ role: 'user', content: 'hi' }]
  const slow = await openStream(up.house.url, { model: 'm', messages, ...asStream })
  const whole = up.house.open({ model: 'm', messages })
  await arrived(up.house, 2)
  await eventually(() => up.asked() === 1, 'the upstream has it')
  up.release()
  await eventually(() => sent > 100, 'it flows')
  whole.leave()
  await arrived(up.house, 1)
  // what the sockets on the way hold, and no more
  expect(await plateau(() => Math.min(sent, 4000), 500)).toBeLessThan(4000)
  slow.socket.destroy()
  await arrived(up.house, 0)
  expect(up.asked()).toBe(1)
  expect(await up.house.report()).toMatchObject({ entries: 0, bytes: 0 })
})
