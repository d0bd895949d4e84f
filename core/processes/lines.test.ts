import { expect, test } from 'bun:test'
import { readLines } from './lines.ts'

async function read(...pieces: readonly (string | Uint8Array)[]): Promise<string[]> {
  const lines: string[] = []
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece)
      controller.close()
    },
  })
  await readLines(stream, line => lines.push(line))
  return lines
}

test('puts lines together, whatever the pieces they come in', async () => {
  expect(await read('one\ntw', 'o\r\n\nthr', 'ee')).toEqual(['one', 'two', '', 'three'])
  const bytes = new TextEncoder().encode('grüße\n')
  expect(await read(bytes.subarray(0, 3), bytes.subarray(3))).toEqual(['grüße'])
  expect(await read()).toEqual([])
})

test('hands on in pieces what never ends', async () => {
  const lines = await read(...Array.from({ length: 100 }, () => 'x'.repeat(1_000)))
  expect(lines.join('')).toHaveLength(100_000)
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(20_000)
})
