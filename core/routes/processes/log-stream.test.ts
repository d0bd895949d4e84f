import { expect, test } from 'bun:test'
import type { Context } from '../../context.ts'
import { createOutputBuffer } from '../../processes/output-buffer.ts'
import { streamLines } from './log-stream.ts'

/** A stream of a buffer for fifty lines, read by hand. */
function open(query = { after: 0 }) {
  const output = createOutputBuffer({ lines: 50 })
  const settled: (() => void)[] = []
  const ctx = { phase: 'streaming', onSettled: listener => void settled.push(listener as () => void) } as Partial<Context> as Context
  const state = { over: false }
  const body = streamLines(ctx, output, query, () => state.over).body as ReadableStream<Uint8Array>
  const reader = body.getReader()
  const read = async () => new TextDecoder().decode((await reader.read()).value)
  const settle = () => {
    ctx.phase = 'settled'
    for (const listener of settled) listener()
  }
  return { output, read, reader, state, settle }
}
const say = ({ output }: ReturnType<typeof open>, from: number, to: number, text = '') => {
  for (let n = from; n <= to; n++) output.add(`${n}${text}`, 'stdout')
}
const ids = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(match => Number(match[1]))

test('a reader that is too slow misses lines, and is told how many', async () => {
  const stream = open()
  expect(await stream.read()).toBe('retry: 2000\n\n')
  say(stream, 1, 10)
  expect(ids(await stream.read())).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  say(stream, 11, 1000)
  const late = await stream.read()
  expect(late).toStartWith('event: omitted\ndata: {"omitted":940}\n\nid: 951\n')
  expect(ids(late)).toEqual(Array.from({ length: 50 }, (_, at) => 951 + at))
})

test('so is one that comes back after too long', async () => {
  const stream = open({ after: 3 })
  say(stream, 1, 60)
  await stream.read()
  expect(await stream.read()).toStartWith('event: omitted\ndata: {"omitted":7}\n\nid: 11\n')
})

test('no more than a little waits for a reader at a time', async () => {
  const stream = open()
  say(stream, 1, 50, 'x'.repeat(5_000))
  await stream.read()
  const seen: number[] = []
  while (seen.length < 50) {
    const text = await stream.read()
    expect(text.length).toBeLessThan(80_000)
    seen.push(...ids(text))
  }
  expect(seen).toEqual(Array.from({ length: 50 }, (_, at) => at + 1))
})

test('when it is over, what is there still comes, and then the end', async () => {
  const stream = open()
  await stream.read()
  say(stream, 1, 1)
  stream.state.over = true
  expect(ids(await stream.read())).toEqual([1])
  expect((await stream.reader.read()).done).toBe(true)
})

test('a request that has ended leaves no listener behind', async () => {
  const stream = open()
  await stream.read()
  const waiting = stream.read()
  stream.settle()
  let heard = 0
  stream.output.listen(() => heard++)
  say(stream, 1, 1)
  expect(heard).toBe(1)
  expect(await Promise.race([waiting, Bun.sleep(50).then(() => 'nothing')])).toBe('nothing')
})
