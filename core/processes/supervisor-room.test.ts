import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../errors.ts'
import { noRoom } from './server-process.ts'
import { createStartRoom, type EvictionPolicy, type Running } from './supervisor-room.ts'
import { atMost } from './testing/policy.ts'
import { patient, until } from './testing/server.ts'

function open(policy = atMost(2), patienceMs = 60_000) {
  const running = new Map<string, Running>()
  const evicted: string[] = []
  const started: string[] = []
  let clock = 0
  const set = (model: string, change: Partial<Running>) => {
    running.set(model, {
      model,
      state: 'ready',
      lastUsedAt: clock++,
      inFlight: 0,
      memoryBytes: undefined,
      ...running.get(model),
      ...change,
    })
    room.look()
  }
  const end = (model: string) => {
    running.delete(model)
    for (const done of ends.get(model) ?? []) done()
    ends.delete(model)
    room.look()
  }
  const ends = new Map<string, (() => void)[]>()
  const room = createStartRoom({
    policy,
    running: () => [...running.values()],
    evict(model) {
      evicted.push(model)
      set(model, { state: 'stopping' })
      return new Promise<void>(done => ends.set(model, [...(ends.get(model) ?? []), done]))
    },
    patienceMs: () => patienceMs,
  })
  const want = (model: string, { signal = patient, mayEvict = true } = {}) =>
    room.take({
      model,
      signal,
      mayEvict: () => mayEvict,
      granted() {
        started.push(model)
        set(model, { state: 'starting' })
      },
    })
  return { room, want, set, end, evicted, started, running }
}

test('who finds room starts at once', async () => {
  const { want, started } = open()
  await Promise.all([want('a'), want('b')])
  expect(started).toEqual(['a', 'b'])
})

test('who finds none has another one go, and waits until that is gone', async () => {
  const { want, set, end, evicted, started } = open()
  set('a', {})
  set('b', {})
  const waits = want('c')
  expect(evicted).toEqual(['a'])
  expect(started).toEqual([])
  end('a')
  await waits
  expect([evicted, started]).toEqual([['a'], ['c']])
})

test('one eviction is one, however often somebody looks', async () => {
  const { room, want, set, end, evicted } = open()
  set('a', {})
  set('b', {})
  const waits = want('c')
  for (let i = 0; i < 10; i++) room.look()
  end('a')
  await waits
  expect(evicted).toEqual(['a'])
})

test('nobody goes while another one is going anyway', async () => {
  const { want, set, end, evicted, started } = open()
  set('a', { state: 'stopping' })
  set('b', {})
  const waits = want('c')
  expect([evicted, started]).toEqual([[], []])
  end('a')
  await waits
  expect([evicted, started]).toEqual([[], ['c']])
})

test('one that is stopping and still in use counts as in use', async () => {
  const { want, set, end, evicted } = open()
  set('a', { state: 'stopping', inFlight: 1 })
  set('b', {})
  const waits = want('c')
  expect(evicted).toEqual(['b'])
  end('b')
  await waits
})

test('while all are busy those who want to start wait, in order', async () => {
  const { room, want, set, end, evicted, started } = open()
  set('a', { inFlight: 1 })
  set('b', { inFlight: 1 })
  const all = [want('c'), want('d')]
  expect([room.length, room.positionOf('c'), room.positionOf('d'), room.positionOf('x')]).toEqual([2, 1, 2, undefined])
  set('b', { inFlight: 0 })
  expect(evicted).toEqual(['b'])
  end('b')
  await all[0]
  expect(started).toEqual(['c'])
  expect(room.positionOf('d')).toBe(1)
  set('a', { inFlight: 0 })
  end('a')
  await all[1]
  expect(started).toEqual(['c', 'd'])
})

test('who leaves the line lets the next one up', async () => {
  const { room, want, set, started } = open()
  set('a', { inFlight: 1 })
  set('b', { inFlight: 1 })
  const leaver = new AbortController()
  const left = want('c', { signal: leaver.signal })
  const stays = want('d')
  leaver.abort(new Error('gone home'))
  await expect(left).rejects.toThrow('gone home')
  expect(room.positionOf('d')).toBe(1)
  room.setPolicy(atMost(3))
  await stays
  expect(started).toEqual(['d'])
  await expect(want('e', { signal: AbortSignal.abort(new Error('not me')) })).rejects.toThrow('not me')
  expect(room.length).toBe(0)
})

test('what never fits is refused at once, with the reason, and holds nobody up', async () => {
  const { want, room, started } = open((wanted, running) =>
    wanted === 'big' ? { never: 'it needs 9 GB, there are 4 GB' } : atMost(2)(wanted, running),
  )
  const error = await want('big').catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(GatewayError)
  expect(error).toMatchObject({
    status: 503,
    code: 'model_unavailable',
    message: "The model 'big' cannot be loaded: it needs 9 GB, there are 4 GB",
  })
  await want('small')
  expect([started, room.length]).toEqual([['small'], 0])
})

test('who nobody waits for takes free room only', async () => {
  const { want, set, evicted, started } = open()
  await want('a', { mayEvict: false })
  set('a', { state: 'ready' })
  set('b', {})
  expect(await want('c', { mayEvict: false }).catch((reason: unknown) => reason)).toBe(noRoom)
  expect([evicted, started]).toEqual([[], ['a']])
})

describe('patience', () => {
  test('ends: then those who are never idle by themselves get no more requests', async () => {
    const { want, set, end, evicted, started } = open(atMost(1), 30)
    set('a', { inFlight: 3 })
    const waits = want('b')
    expect(evicted).toEqual([])
    await until(() => evicted.length > 0, 'the eviction')
    expect([evicted, started]).toEqual([['a'], []])
    set('a', { inFlight: 1 })
    end('a')
    await waits
    expect(started).toEqual(['b'])
  })

  test('is that of the first only, and counts from when it is first', async () => {
    const { want, set, end, evicted } = open(atMost(1), 100)
    set('a', { inFlight: 1 })
    const first = want('b')
    const second = want('c')
    await until(() => evicted.length > 0, 'the eviction')
    end('a')
    await first
    set('b', { state: 'ready', inFlight: 1 })
    expect(evicted).toEqual(['a'])
    await until(() => evicted.length > 1, 'the next eviction')
    end('b')
    await second
  })

  test('asks no more of them than needed, however often somebody looks', async () => {
    const { room, want, set, end, evicted } = open(atMost(2), 20)
    set('a', { inFlight: 1 })
    set('b', { inFlight: 1 })
    const waits = want('c')
    await until(() => evicted.length > 0, 'the eviction')
    for (let i = 0; i < 10; i++) room.look()
    expect(evicted).toEqual(['a'])
    end('a')
    await waits
    expect(evicted).toEqual(['a'])
  })

  test('does not make it wait for a long request when another one is idle meanwhile', async () => {
    const { want, set, end, evicted, started } = open(atMost(2), 20)
    set('a', { inFlight: 1 })
    set('b', { inFlight: 1 })
    const waits = want('c')
    await until(() => evicted.length > 0, 'the eviction')
    set('b', { inFlight: 0 })
    expect(evicted).toEqual(['a', 'b'])
    end('b')
    await waits
    expect(started).toEqual(['c'])
  })

  test('never ends for those that start', async () => {
    const { want, set, evicted } = open(atMost(1), 10)
    set('a', { state: 'starting' })
    const leaver = new AbortController()
    const waits = want('b', { signal: leaver.signal })
    await Bun.sleep(60)
    expect(evicted).toEqual([])
    leaver.abort(new Error('enough'))
    await expect(waits).rejects.toThrow('enough')
  })
})

test('a policy that throws, or names what is not there, fails only the one it was asked for', async () => {
  let wrong: EvictionPolicy = () => {
    throw new Error('a bug')
  }
  const room = createStartRoom({
    policy: (wanted, running) => (wanted === 'bad' ? wrong(wanted, running) : { evict: [] }),
    running: () => [],
    evict: model => Promise.reject(new Error(`who is ${model}?`)),
    patienceMs: () => 1_000,
  })
  const take = (model: string) => room.take({ model, signal: patient, mayEvict: () => true, granted() {} })
  await expect(take('bad')).rejects.toThrow('a bug')
  wrong = () => ({ evict: ['nobody'] })
  await Promise.all([expect(take('bad')).rejects.toThrow('who is nobody?'), take('good')])
})
