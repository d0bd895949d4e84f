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

test('hands on the beginning of what is too long, and how much more there was', async () => {
  const pieces = Array.from({ length: 100 }, () => 'x'.repeat(1_000))
  expect(await read(...pieces)).toEqual(['x'.repeat(16_384), '(83616 more characters of this line were left out)'])
  expect(await read('a\n', ...pieces, 'y\nb')).toEqual(['a', 'x'.repeat(16_384), '(83617 more characters of this line were left out)', 'b'])
  expect(await read(`${'z'.repeat(16_385)}\nb`)).toEqual(['z'.repeat(16_384), '(1 more characters of this line were left out)', 'b'])
  expect(await read(`${'z'.repeat(16_384)}\nb`)).toEqual(['z'.repeat(16_384), 'b'])
})

test('takes a hundred megabytes without a line end, and keeps none of them', async () => {
  const piece = new Uint8Array(65_536).fill(120)
  let left = 1_600
  const endless = new ReadableStream<Uint8Array>({
    pull: controller => (left-- > 0 ? controller.enqueue(piece) : controller.close()),
  })
  const lines: string[] = []
  await readLines(endless, line => lines.push(line))
  expect([lines[0]?.length, ...lines.slice(1)]).toEqual([16_384, '(104841216 more characters of this line were left out)'])
})

test('lets others have their turn between lines without end', async () => {
  const piece = new TextEncoder().encode('x\n'.repeat(32_768))
  let left = 100
  const flood = new ReadableStream<Uint8Array>({
    pull: controller => (left-- > 0 ? controller.enqueue(piece) : controller.close()),
  })
  let turns = 0
  const other = setInterval(() => turns++, 1)
  let lines = 0
  await readLines(flood, () => lines++)
  clearInterval(other)
  expect(lines).toBe(3_276_800)
  expect(turns).toBeGreaterThan(5)
})
