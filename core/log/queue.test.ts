import { expect, test } from 'bun:test'
import { seededRandom } from '../testing/random.ts'
import { createQueue } from './queue.ts'

const texts = ['plain', 'grün', '海の歌', '🌊', '\ud83c', '']

test('comes out as it went in, whatever is written meanwhile', () => {
  const random = seededRandom(7)
  const queue = createQueue()
  let [put, got] = ['', Buffer.alloc(0)]
  for (let i = 0; i < 3000; i++) {
    const text = texts[Math.floor(random() * texts.length)] as string
    const line = `${i} ${text.repeat(random() < 0.01 ? 20_000 : random() * 100)}\n`
    expect(queue.push(line)).toBe(true)
    put += line
    if (random() < 0.1) queue.next() // on its way out while more come
    if (random() < 0.05) {
      got = Buffer.concat([got, queue.next()?.bytes ?? Buffer.alloc(0)])
      queue.done()
    }
  }
  for (let chunk = queue.next(); chunk; chunk = queue.next()) {
    got = Buffer.concat([got, chunk.bytes])
    queue.done()
  }
  expect(got.equals(Buffer.from(put))).toBe(true)
  expect(queue.size()).toBe(0)
})

test('a chunk that was half written begins again at the line that was cut', () => {
  const queue = createQueue()
  for (const line of ['one\n', 'two\n', 'three\n']) queue.push(line)
  const chunk = queue.next()
  if (!chunk) throw new Error('there is no chunk')
  chunk.written = 6
  queue.rewind()
  expect(chunk.bytes.subarray(chunk.written).toString()).toBe('two\nthree\n')
})

test('what is too much is refused, and there is room again when it has left', () => {
  const queue = createQueue()
  const line = `${'x'.repeat(1024 * 1024 - 1)}\n`
  for (let i = 0; i < 8; i++) expect(queue.push(line)).toBe(true)
  expect(queue.push('one more\n')).toBe(false)
  queue.next()
  queue.done()
  expect(queue.push('one more\n')).toBe(true)
})
