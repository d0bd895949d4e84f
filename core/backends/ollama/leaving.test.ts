import { afterAll, beforeEach, expect, test } from 'bun:test'
import { fakeOllama } from '../../testing/fake-ollama.ts'
import { chatCall, testBackend, testCall } from './testing.ts'

const fake = await fakeOllama()
const backend = testBackend(fake.url)
beforeEach(() => fake.clear())
afterAll(() => fake.stop())

const started = () => fake.until(() => fake.streams.length > 0, 'the request')
const left = () => fake.until(() => fake.streams[0]?.ended === 'client-left', 'the close', 500)
const readerOf = ({ body }: Response) => (body as ReadableStream<Uint8Array>).getReader()

test.each([
  ['streamed, before the headers', chatCall, { model: 'hold', stream: true }],
  ['not streamed', chatCall, { model: 'hold' }],
  ['not streamed, after the headers', chatCall, { model: 'hold-first' }],
  ['a completion', testCall.bind(null, 'completions'), { model: 'hold', prompt: ['a', 'b'] }],
])('the signal, %s', async (_what, make, fields) => {
  const leaving = new AbortController()
  const sent = backend.send(make(fields, { signal: leaving.signal }))
  await started()
  leaving.abort(new Error('left'))
  await expect(sent).rejects.toThrow('left')
  await left()
})

test.each(['hold-first', 'hold-mid'])('the signal, in a stream: %s', async model => {
  const leaving = new AbortController()
  const reader = readerOf(await backend.send(chatCall({ model, stream: true }, { signal: leaving.signal })))
  if (model === 'hold-mid') await reader.read()
  leaving.abort(new Error('left'))
  await left()
  await expect(
    (async () => {
      while (!(await reader.read()).done);
    })(),
  ).rejects.toThrow()
})

test.each(['hold-first', 'hold-mid', 'endless'])('cancelling the stream: %s', async model => {
  const reader = readerOf(await backend.send(chatCall({ model, stream: true })))
  if (model !== 'hold-first') await reader.read()
  await reader.cancel()
  await left()
})

test('cancelling while a read waits', async () => {
  const reader = readerOf(await backend.send(chatCall({ model: 'hold-first', stream: true })))
  const waiting = reader.read()
  await reader.cancel()
  await left()
  expect((await waiting).done).toBe(true)
})

test('a reader that stops reading stops the model', async () => {
  const reader = readerOf(await backend.send(chatCall({ model: 'endless', stream: true })))
  await reader.read()
  let before = -1
  // The buffers of the two sockets fill, and then nothing moves.
  await fake.until(() => (fake.streams[0]?.bytesSent ?? 0) > 0, 'bytes')
  for (let still = 0; still < 5; ) {
    const now = fake.streams[0]?.bytesSent ?? 0
    still = now === before ? still + 1 : 0
    before = now
    expect(now).toBeLessThan(64 << 20)
    await Bun.sleep(20)
  }
  await reader.cancel()
  await left()
})
