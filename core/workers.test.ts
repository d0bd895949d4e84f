import { afterEach, describe, expect, test } from 'bun:test'
import { cpuUsage } from 'node:process'
import type { TextCount } from './gateway.ts'
import { type ClosableWorkers, createWorkers, defaultLimits, type WorkerLimits, type WorkersOptions } from './workers.ts'

const oddTasks = new URL('./workers/testing/odd-tasks.ts', import.meta.url).href

interface Line {
  readonly why: string
  readonly message: string
}

let close = async () => {}
afterEach(() => close())

function open({ limits = {}, ...options }: { limits?: Partial<WorkerLimits> } & Omit<Partial<WorkersOptions>, 'limits'> = {}) {
  const lines: Line[] = []
  const log = { warn: (facts: { why: string }, message: string) => lines.push({ ...facts, message }) }
  const workers: ClosableWorkers = createWorkers({
    log: log as unknown as WorkersOptions['log'],
    limits: () => ({ ...defaultLimits, ...limits }),
    ...options,
  })
  close = () => workers.close()
  return { workers, lines }
}

const exact = (tokens: number, method: TextCount['method'] = 'o200k_base'): TextCount => ({ tokens, exact: true, method })

describe('hashes', () => {
  const known = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

  test('a small one is made at once, a large one in a thread; they are the same', async () => {
    const { workers } = open({ limits: { digestFrom: 1000 } })
    const large = 'aé'.repeat(1000)
    const inPlace = open({ limits: { digestFrom: Number.POSITIVE_INFINITY } }).workers.digest(large)
    expect(workers.digest('abc')).toBe(known)
    expect(workers.digest(new TextEncoder().encode('abc'))).toBe(known)
    const [ofText, ofBytes] = [workers.digest(large), workers.digest(new TextEncoder().encode(large))]
    expect(ofText).toBeInstanceOf(Promise)
    expect(await ofText).toBe(inPlace as string)
    expect(await ofBytes).toBe(inPlace as string)
    await workers.close()
  })

  test('bytes that are hashed in a thread stay with their owner', async () => {
    const { workers } = open({ limits: { digestFrom: 0 } })
    const bytes = new Uint8Array(100).fill(7)
    await workers.digest(bytes)
    expect(bytes).toHaveLength(100)
    expect(bytes[99]).toBe(7)
  })

  test('a thread that fails costs nothing but time', async () => {
    const { workers, lines } = open({ limits: { digestFrom: 0 }, entry: oddTasks })
    expect(await workers.digest('abc')).toBe('from the thread: 3')
    const inPlace = open({ limits: { digestFrom: Number.POSITIVE_INFINITY } }).workers.digest('throw it')
    expect(await workers.digest('throw it')).toBe(inPlace as string)
    expect(lines.map(({ why }) => why)).toEqual(['died'])
    await workers.close()
  })
})

describe('tokens', () => {
  test('are counted by the real tokenizers', async () => {
    const { workers, lines } = open()
    expect(await workers.countTokens(['hello world'], 'o200k_base')).toEqual(exact(2))
    expect(await workers.countTokens(['tiktoken is great!'], 'cl100k_base')).toEqual(exact(6, 'cl100k_base'))
    expect(await workers.countTokens(['hello', ' world', ''], 'o200k_base')).toEqual(exact(2))
    expect(await workers.countTokens(['お誕生日おめでとう'], 'cl100k_base')).toEqual(exact(9, 'cl100k_base'))
    expect(lines).toEqual([])
  })

  test('of many texts, without keeping the event loop', async () => {
    const { workers } = open()
    await workers.countTokens(['x'], 'o200k_base')
    const texts = Array.from({ length: 100_000 }, () => 'hello world')
    let turns = 0
    const counting = setInterval(() => turns++)
    expect(await workers.countTokens(texts, 'o200k_base')).toEqual(exact(200_000))
    clearInterval(counting)
    expect(turns).toBeGreaterThan(10)
  })

  test('what looks like a special token is text', async () => {
    const { workers } = open()
    const { tokens, exact } = await workers.countTokens(['<|endoftext|>'], 'o200k_base')
    expect([tokens, exact]).toEqual([7, true])
    expect((await workers.countTokens(['<|im_start|>'], 'cl100k_base')).tokens).toBeGreaterThan(1)
  })

  test('nothing is nothing, and starts no thread', async () => {
    const { workers } = open({ entry: 'file:///nowhere.ts' })
    expect(await workers.countTokens([], 'o200k_base')).toEqual(exact(0))
    expect(await workers.countTokens(['', ''], 'o200k_base')).toEqual(exact(0))
  })

  test('below the threshold they are estimated', async () => {
    const { workers, lines } = open({ limits: { tokensFrom: 12 }, entry: 'file:///nowhere.ts' })
    expect(await workers.countTokens(['hello world'], 'o200k_base')).toEqual({ tokens: 3, exact: false, method: 'estimate' })
    expect(lines).toEqual([])
  })

  test('a caller who leaves gets the reason of the signal, and the next one an answer', async () => {
    const { workers } = open({ entry: oddTasks })
    const leaving = new AbortController()
    const both = Promise.allSettled(['slow', 'slow'].map(text => workers.countTokens([text], 'o200k_base', leaving.signal)))
    await Bun.sleep(0)
    leaving.abort(new Error('the client left'))
    expect((await both).map(outcome => (outcome as PromiseRejectedResult).reason.message)).toEqual(['the client left', 'the client left'])
    await expect(workers.countTokens(['x'], 'o200k_base', leaving.signal)).rejects.toThrow('the client left')
    expect(await workers.countTokens(['hello world'], 'o200k_base')).toEqual(exact(2))
  })
})

describe('when a thread fails, there is an estimate, a warning, and a next time', () => {
  const estimate = (tokens: number): TextCount => ({ tokens, exact: false, method: 'estimate' })

  test.each([
    ['throw', 'died'],
    ['crash', 'died'],
    ['exit', 'overran'],
    ['never', 'overran'],
    ['spin', 'overran'],
  ])('%s', async (word, why) => {
    const { workers, lines } = open({ entry: oddTasks, limits: { budgetMs: why === 'overran' ? 300 : 20_000 } })
    expect(await workers.countTokens([word], 'o200k_base')).toMatchObject({ exact: false, method: 'estimate' })
    expect(lines).toEqual([expect.objectContaining({ why, message: 'Tokens could not be counted in a thread; they were estimated.' })])
    await workers.close()
    // a thread that comes after it must have the time to load
    const next = open({ entry: oddTasks })
    expect(await next.workers.countTokens(['hello world'], 'o200k_base')).toEqual(exact(2))
  })

  test('in the same pool, once it is quick enough', async () => {
    let budgetMs = 300
    const { workers } = open({
      entry: oddTasks,
      limits: {
        get budgetMs() {
          return budgetMs
        },
      } as WorkerLimits,
    })
    expect(await workers.countTokens(['spin'], 'o200k_base')).toEqual(estimate(1))
    budgetMs = 20_000
    expect(await workers.countTokens(['hello world'], 'o200k_base')).toEqual(exact(2))
  })

  test('a killed thread stops computing', async () => {
    const { workers } = open({ entry: oddTasks, limits: { budgetMs: 200 } })
    await workers.countTokens(['spin'], 'o200k_base')
    // it takes a moment until the thread notices: wait for a tenth of a second in which hardly anything was computed
    for (let tries = 0; tries < 100; tries++) {
      const before = cpuUsage()
      await Bun.sleep(100)
      if (cpuUsage(before).user < 30_000) return
    }
    throw new Error('the thread computes on')
  })

  test('beyond the queue', async () => {
    const { workers, lines } = open({ entry: oddTasks, mostWaiting: 2 })
    const counts = await Promise.all(['slow', 'slow', 'slow', 'slow', 'slow'].map(text => workers.countTokens([text], 'o200k_base')))
    expect(counts.map(({ exact }) => exact)).toEqual([true, true, true, false, false])
    expect(lines.map(({ why }) => why)).toEqual(['full']) // said once
  })

  test('a module that cannot be loaded', async () => {
    const { workers, lines } = open({ entry: new URL('./workers/no-such-file.ts', import.meta.url).href, limits: { budgetMs: 20_000 } })
    const counts = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(text => workers.countTokens([text], 'o200k_base')))
    expect(counts).toEqual(Array.from({ length: 5 }, () => estimate(1)))
    expect(lines[0]?.why).toBe('died')
    // by now it has failed often enough that it is not tried
    expect(await workers.countTokens(['a'], 'o200k_base')).toEqual(estimate(1))
    expect(lines.at(-1)?.why).toBe('resting')
  })

  test('after the end', async () => {
    const { workers, lines } = open({ entry: oddTasks })
    const running = workers.countTokens(['never'], 'o200k_base')
    const waiting = workers.countTokens(['never'], 'o200k_base')
    await Bun.sleep(0)
    await workers.close()
    expect(await Promise.all([running, waiting, workers.countTokens(['abcd'], 'o200k_base')])).toEqual([
      estimate(2),
      estimate(2),
      estimate(1),
    ])
    expect(lines).toEqual([])
  })
})

test('a thread without work ends, and its memory comes back', async () => {
  const megabytes = () => process.memoryUsage().rss / 1e6
  const { workers } = open({ idleMs: 50 })
  await workers.countTokens(['hello'], 'o200k_base')
  const withTokenizer = megabytes()
  for (let tries = 0; tries < 100 && megabytes() > withTokenizer - 30; tries++) {
    await Bun.sleep(100)
    Bun.gc(true)
  }
  expect(megabytes()).toBeLessThan(withTokenizer - 30)
  expect(await workers.countTokens(['hello world'], 'o200k_base')).toEqual(exact(2))
})
