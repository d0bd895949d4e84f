import { describe, expect, test } from 'bun:test'
import { createPending } from './pending.ts'

const never = new Promise<never>(() => {})
const ignore = () => {}

describe('pending calls', () => {
  test('settle as their answers do; an error is told before', async () => {
    const told: unknown[] = []
    const pending = createPending(1000, ignore)
    expect(await pending.add(Promise.resolve(1), error => told.push(error))).toBe(1)
    const wrong = new Error('WRONGTYPE')
    expect(await pending.add(Promise.reject(wrong), error => told.push(error)).catch(error => error)).toBe(wrong)
    expect(told).toEqual([wrong])
  })

  test('are all given up at once, and what comes later counts no more', async () => {
    const told: unknown[] = []
    const pending = createPending(1000, ignore)
    const { promise, reject } = Promise.withResolvers<never>()
    const calls = [never, promise, never].map(answer => pending.add(answer, error => told.push(error)).catch(error => error))
    const lost = new Error('lost')
    pending.giveUp(lost)
    reject(new Error('too late'))
    expect(await Promise.all(calls)).toEqual([lost, lost, lost])
    expect(told).toEqual([])
    await pending.idle()
  })

  test('tell of silence once the oldest has waited that long, and not of answers that come in time', async () => {
    const silent = Promise.withResolvers<number>()
    const from = performance.now()
    const pending = createPending(60, () => silent.resolve(performance.now() - from))
    const answered = Array.from({ length: 10 }, (_, at) => pending.add(Bun.sleep(at), ignore))
    await Promise.all(answered)
    const since = performance.now() - from
    void pending.add(never, ignore)
    expect((await silent.promise) - since).toBeGreaterThanOrEqual(59)
  })

  test('that wait behind others are not silent as long as answers come, but have an end', async () => {
    const silent = Promise.withResolvers<number>()
    const from = performance.now()
    const pending = createPending(500, () => silent.resolve(performance.now() - from), 800)
    void pending.add(never, ignore)
    const answers = setInterval(() => void pending.add(Promise.resolve(), ignore), 10)
    expect(await silent.promise).toBeGreaterThanOrEqual(799)
    clearInterval(answers)
  })
})
