import { expect, test } from 'bun:test'
import { readJsonLines } from './json-lines.ts'

async function read(chunks: readonly Uint8Array[], longest?: number) {
  const messages: object[] = []
  const garbage: string[] = []
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  const options = { onMessage: (message: object) => void messages.push(message), onGarbage: (line: string) => void garbage.push(line) }
  await readJsonLines(stream, { ...options, ...(longest && { longest }) })
  return { messages, garbage }
}

const bytes = (text: string) => new TextEncoder().encode(text)

test('messages are found however the bytes are cut, inside of characters, too', async () => {
  const text = bytes('{"a":"世界"}\r\n\n{"b":2}\n{"c":3}')
  for (const size of [1, 2, 3, 7, 100]) {
    const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size))
    expect(await read(chunks)).toEqual({ messages: [{ a: '世界' }, { b: 2 }, { c: 3 }], garbage: [] })
  }
})

test('what is no object is garbage, and what comes after it is not', async () => {
  expect(await read([bytes('hello\n[1]\n3\nnull\n{"a":\n{"a":1}\n')])).toEqual({
    messages: [{ a: 1 }],
    garbage: ['hello', '[1]', '3', 'null', '{"a":'],
  })
})

test('a line that is too long is skipped without being kept', async () => {
  const chunks = [bytes('{"a":"'), ...Array.from({ length: 50 }, () => bytes('x'.repeat(100))), bytes('"}\n{"b":1}\n')]
  expect(await read(chunks, 1_000)).toEqual({ messages: [{ b: 1 }], garbage: ['(a line of 5008 bytes)'] })
})
