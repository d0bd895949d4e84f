import { expect, test } from 'bun:test'
import { createQueue } from './process-queue.ts'

test('runs one job at a time, in order, also those that a job adds', async () => {
  const queue = createQueue()
  const seen: string[] = []
  const job = (name: string, ms: number) => async () => {
    seen.push(`${name} begins`)
    await Bun.sleep(ms)
    seen.push(`${name} ends`)
    return name
  }
  const first = queue(async () => {
    queue(job('late', 1))
    return job('first', 10)()
  })
  expect(await Promise.all([first, queue(job('second', 1))])).toEqual(['first', 'second'])
  await queue(async () => undefined)
  expect(seen).toEqual(['first begins', 'first ends', 'second begins', 'second ends', 'late begins', 'late ends'])
})

test('a job that fails fails nobody else', async () => {
  const queue = createQueue()
  const failed = queue(() => Promise.reject(new Error('no')))
  const next = queue(async () => 'yes')
  await expect(failed).rejects.toThrow('no')
  expect(await next).toBe('yes')
})
