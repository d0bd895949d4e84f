import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { connect, createServer, type Socket } from 'node:net'
import { type OpenedStore, openStore } from '../../../core/stores/redis/testing/open-store.ts'
import { type RedisServer, redisMissing, startRedis } from '../../../core/testing/redis.ts'
import { listenOnFreePort } from '../../../core/testing/server/free-port.ts'
import type { KeptAnswer } from '../kept.ts'
import type { Limits } from '../memory/memory.ts'
import { testShelf } from './contract.ts'
import { redisShelf } from './redis.ts'
import { answerOf, any, isAnswerOf, keyOf, roomy } from './testing/answers.ts'
import { keepLog } from './testing/log.ts'

/** An instance: a shelf over a store of its own, and what it was told is cleared. */
interface Instance extends AsyncDisposable {
  readonly store: OpenedStore
  readonly shelf: ReturnType<typeof redisShelf>
  readonly cleared: (string | undefined)[]
  readonly lines: ReturnType<typeof keepLog>['lines']
  get(name: string | number, model?: string): Promise<KeptAnswer | undefined>
  has(name: string | number, model?: string): Promise<boolean>
  /** Resolves when it is in Redis. */
  set(name: string | number, model?: string, length?: number, seed?: number): Promise<void>
}

interface Settings extends Partial<Limits> {
  readonly onError?: 'local' | 'deny'
}

async function open(url: string, { onError = 'local', ...limits }: Settings = {}): Promise<Instance> {
  const store = await openStore(url, { onError })
  const { log, lines } = keepLog()
  const cleared: (string | undefined)[] = []
  const shelf = redisShelf({ store: store.store, limits: { ...roomy, ...limits }, log, onCleared: model => cleared.push(model) })
  const get = async (name: string | number, model = 'm') => {
    await shelf.fresh(model)
    return shelf.get(keyOf(name), any)
  }
  return {
    store,
    shelf,
    cleared,
    lines,
    get,
    has: async (name, model) => (await get(name, model)) !== undefined,
    async set(name, model = 'm', length = 10, seed = 0) {
      shelf.set(keyOf(name), answerOf(model, length, seed))
      await shelf.flush()
    },
    async [Symbol.asyncDispose]() {
      await shelf.close()
      await store.store.close()
    },
  }
}

/** Waits until it is so; the milliseconds it took. */
async function until(true_: () => Promise<boolean> | boolean, withinMs = 5000): Promise<number> {
  const from = performance.now()
  while (!(await true_())) {
    if (performance.now() - from > withinMs) throw new Error(`it never came to that in ${withinMs} ms`)
    await Bun.sleep(2)
  }
  return performance.now() - from
}

describe.skipIf(redisMissing)('a shelf in Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  beforeEach(() => server.command('FLUSHALL'))
  afterAll(() => server?.[Symbol.asyncDispose]())

  testShelf('redis', async limits => {
    let time = 1_700_000_000_000
    const { store } = await openStore(server.url)
    const shelf = redisShelf({ store, limits, log: keepLog().log, onCleared: () => {}, now: () => time })
    const advance = (ms: number) => {
      time += ms
    }
    return { shelf, advance }
  })

  test('what one instance keeps another has', async () => {
    await using a = await open(server.url)
    await using b = await open(server.url, { onError: 'deny' })
    for (const length of [0, 10, 100_000, 4 * 1024 * 1024]) {
      await a.set(length, 'm', length, 3)
      expect(isAnswerOf(await b.get(length), length, 3)).toBe(true)
    }
    await a.set('too long', 'm', 4 * 1024 * 1024 + 1)
    expect(await a.has('too long')).toBe(false)
  })

  test('goes by itself when its time is over', async () => {
    await using a = await open(server.url, { ttlMs: 60_000 })
    await a.set('new')
    a.shelf.set(keyOf('old'), { ...answerOf(), ageMs: 50_000 } as KeptAnswer)
    a.shelf.set(keyOf('too old'), { ...answerOf(), ageMs: 60_000 } as KeptAnswer)
    await a.shelf.flush()
    const left = async (name: string) => Number(await server.command('PTTL', `gatehouse:value:cache:${keyOf(name)}`))
    expect(await left('new')).toBeWithin(50_000, 60_001)
    expect(await left('old')).toBeWithin(5000, 10_001)
    expect(await left('too old')).toBe(-2)
  })

  test('what is not ours, or not whole, is a miss', async () => {
    await using a = await open(server.url)
    await a.set('a', 'm', 1000)
    const good = (await a.store.store.get(`cache:${keyOf('a')}`)) as Uint8Array
    const put = (bytes: Uint8Array) => a.store.store.set(`cache:${keyOf('b')}`, bytes)
    await put(good)
    expect(await a.has('b')).toBe(true)
    for (let length = 0; length < good.length; length += length < 200 ? 1 : 97) {
      await put(good.subarray(0, length))
      expect(await a.has('b')).toBe(false)
    }
    await put(Buffer.concat([good, good.subarray(0, 1)]))
    expect(await a.has('b')).toBe(false)
    const otherVersion = Uint8Array.from(good)
    otherVersion[3] = 0xff
    for (const other of [otherVersion, Buffer.from('null'), new Uint8Array(1000), new Uint8Array(1000).fill(255)]) {
      await put(other)
      expect(await a.has('b')).toBe(false)
    }
    for (let at = 0; at < 150; at++) {
      const flipped = Uint8Array.from(good)
      flipped[at] = (flipped[at] as number) ^ 0x55
      await put(flipped)
      await a.get('b') // right, wrong in a detail, or nothing: it throws nothing
    }
  })

  describe('a clear at one', () => {
    test.each([
      ['of a model', 'm'],
      ['of everything', undefined],
    ])('%s is seen by the other within a second', async (_, model) => {
      await using a = await open(server.url)
      await using b = await open(server.url)
      await a.set('x', 'm')
      await b.set('y', 'm')
      await a.set('z', 'other')
      expect([await b.has('x'), await a.has('y'), await b.has('z', 'other')]).toEqual([true, true, true])
      expect([a.cleared, b.cleared]).toEqual([[], []])

      const from = performance.now()
      await a.shelf.clear(model)
      expect(await a.has('x')).toBe(false)
      // asked all the time, as under load
      await until(async () => {
        await b.shelf.fresh('m')
        return b.cleared.length > 0
      })
      expect(performance.now() - from).toBeLessThan(1200)
      expect(b.cleared).toEqual([model])
      expect(await Promise.all([b.has('x'), b.has('y'), b.has('z', 'other')])).toEqual([false, false, model !== undefined])
      await b.set('x', 'm')
      expect(await a.has('x')).toBe(true)
    })

    test('is seen at once by one who has not asked for a second', async () => {
      await using a = await open(server.url)
      await using b = await open(server.url)
      await a.set('x')
      expect(await b.has('x')).toBe(true)
      await Bun.sleep(1100)
      await a.shelf.clear('m')
      const known = b.shelf.fresh('m')
      expect(known).toBeInstanceOf(Promise)
      expect(b.cleared).toEqual([])
      expect(await known).toBe(true)
      expect(b.cleared).toEqual(['m'])
      expect(b.shelf.fresh('m')).toBe(true) // and now it is known
    })

    test('tells of all models that cannot be told apart', async () => {
      await using a = await open(server.url)
      await using b = await open(server.url)
      const group = (name: string) => Bun.hash.xxHash32(name) % 256
      const names = Array.from({ length: 100_000 }, (_, at) => `model ${at}`).filter(name => group(name) === group('m'))
      expect(names.length).toBeGreaterThan(50)
      for (const name of ['m', ...names.slice(0, 5)]) await b.shelf.fresh(name)
      await a.shelf.clear('m')
      await until(async () => (await b.shelf.fresh('m')) && b.cleared.length > 0)
      expect(b.cleared).toEqual(['m', ...names.slice(0, 5)])
      for (const name of names) await b.shelf.fresh(name)
      await a.shelf.clear('m')
      await until(async () => (await b.shelf.fresh('m')) && b.cleared.length > 6)
      expect(b.cleared.slice(6)).toEqual([undefined])
    })

    test('while Redis is away reaches the others when it is back', async () => {
      await using own = await startRedis()
      await using a = await open(own.url)
      await using b = await open(own.url, { onError: 'deny' })
      await a.set('x')
      expect(await b.has('x')).toBe(true)
      await own.command('SAVE')
      await own.kill()
      await Promise.all([a.store.until('down'), b.store.until('down')])
      await a.shelf.clear('m')
      expect(a.lines.map(({ message }) => message)).toEqual([
        'The cache was cleared here only, because Redis cannot be reached; the others follow when it is back',
      ])
      expect(await a.has('x')).toBe(false)
      await own.restart() // with what it had: the answer too
      await a.store.until('up')
      expect(await a.has('x')).toBe(false) // it brings the clear before anything else
      await b.store.until('up')
      await until(async () => (await b.shelf.fresh('m')) && b.cleared.length > 0)
      expect(b.cleared).toEqual(['m'])
      expect([await a.has('x'), await b.has('x')]).toEqual([false, false])
      await a.set('x')
      expect(await b.has('x')).toBe(true)
    })
  })

  describe('what was cleared does not come back', () => {
    test('when Redis forgets the clear', async () => {
      await using own = await startRedis()
      await using a = await open(own.url)
      await a.set('x')
      await own.command('SAVE')
      await a.shelf.clear('m')
      expect(await a.has('x')).toBe(false)
      await own.restart()
      await a.store.until('up')
      await until(async () => await a.shelf.fresh('m'))
      expect(Number(await own.command('EXISTS', `gatehouse:value:cache:${keyOf('x')}`))).toBe(1)
      await until(async () => {
        await own.command('PING')
        return a.has('x').then(has => !has)
      })
      await Bun.sleep(1100)
      expect(await a.has('x')).toBe(false)
      await using b = await open(own.url)
      expect(await b.has('x')).toBe(false)
    })

    test.each([
      ['all', ['clears', 'epoch:all', 'group']],
      ['some', ['epoch:all']],
      ['others', ['group']],
    ])('when Redis evicts counters: %s', async (_, names) => {
      await using a = await open(server.url)
      await a.set('x')
      await a.shelf.clear('m')
      await a.shelf.clear()
      await Bun.sleep(10) // counters go by the clock
      const group = `epoch:${Bun.hash.xxHash32('m') % 256}`
      for (const name of names) await server.command('DEL', `gatehouse:counter:cache:${name === 'group' ? group : name}`)
      await using b = await open(server.url) // knows nothing of before
      expect(await b.has('x')).toBe(false)
      await b.set('y')
      await until(() => a.has('y')) // and they agree again
      await a.set('z')
      expect(await b.has('z')).toBe(true)
      expect(await b.has('x')).toBe(false)
    })
  })

  test('instances that begin at the same time agree in the end', async () => {
    for (let round = 0; round < 5; round++) {
      await server.command('FLUSHALL')
      await using a = await open(server.url)
      await using b = await open(server.url)
      await using c = await open(server.url)
      const all = [a, b, c]
      await Promise.all(all.map(({ shelf }) => shelf.fresh('m')))
      await Promise.all(all.map((one, at) => one.set(`early ${at}`)))
      await until(async () => {
        await Promise.all(all.map((one, at) => one.set(at)))
        const seen = await Promise.all(all.flatMap(one => [0, 1, 2].map(at => one.has(at))))
        return seen.every(Boolean)
      })
    }
  }, 20_000)

  test('answers from before Redis was there count as cleared, because they may have been', async () => {
    await using own = await startRedis()
    await own.kill()
    await using a = await open(own.url)
    expect(a.shelf.fresh('m')).toBe(false)
    expect(a.shelf.get(keyOf('x'), any)).toBeUndefined()
    await a.set('x')
    expect(a.cleared).toEqual([])
    await own.restart()
    await a.store.until('up')
    expect(await a.shelf.fresh('m')).toBe(true)
    expect(a.cleared).toContain(undefined)
  })
})

describe.skipIf(redisMissing)('a Redis that fails', () => {
  test.each(['local', 'deny'] as const)(
    'under load means misses, for nobody longer than half a second (on_error: %s)',
    async onError => {
      await using own = await startRedis()
      await using a = await open(own.url, { onError, ttlMs: 60_000 })
      const times: number[] = []
      const count = { hits: 0, misses: 0, wrong: 0 }
      let going = true
      const timed = async <T>(work: () => T | Promise<T>): Promise<T> => {
        const from = performance.now()
        const result = await work()
        times.push(performance.now() - from)
        return result
      }
      const walk = async (seed: number) => {
        for (let step = seed; going; step += 7) {
          const name = step % 200
          await timed(() => a.shelf.fresh(`m${step % 5}`))
          const found = await timed(() => a.shelf.get(keyOf(name), any))
          if (!found) count.misses++
          else if (isAnswerOf(found, 1000 + name * 10, name)) count.hits++
          else count.wrong++
          if (!found) await timed(() => a.shelf.set(keyOf(name), answerOf(`m${name % 5}`, 1000 + name * 10, name)))
          if (step % 1000 === 0) await timed(() => a.shelf.clear(`m${step % 5}`))
          await Bun.sleep(1)
        }
      }
      const load = Promise.all(Array.from({ length: 32 }, (_, seed) => walk(seed)))
      await Bun.sleep(300)
      for (const fail of [
        async () => {
          own.freeze()
          await Bun.sleep(700)
          own.thaw()
        },
        async () => {
          await own.kill()
          await Bun.sleep(500)
          await own.restart()
        },
        async () => void (await own.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')),
      ]) {
        await fail()
        await a.store.until('up')
        const { hits } = count
        await until(() => count.hits > hits + 50)
      }
      going = false
      await load
      expect(count.wrong).toBe(0)
      expect(count.misses).toBeGreaterThan(100)
      expect(Math.max(...times)).toBeLessThan(500)
    },
    20_000,
  )

  test('slowly holds one request for a tenth of a second, and then nobody', async () => {
    await using own = await startRedis()
    await using slow = await delayed(own.port)
    await using a = await open(slow.url)
    await a.set('x')
    expect(await a.has('x')).toBe(true)
    slow.delayMs = 150
    const from = performance.now()
    expect(await a.shelf.get(keyOf('x'), any)).toBeUndefined()
    expect(performance.now() - from).toBeWithin(60, 200)
    expect(a.shelf.get(keyOf('x'), any)).toBeUndefined()
    expect(a.store.store.state).toBe('up') // so slow it is not
    slow.delayMs = 0
    await until(() => a.has('x'))
  })
})

/** A way to a port of this machine on which answers take longer. */
async function delayed(port: number): Promise<{ delayMs: number; readonly url: string } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const settings = { delayMs: 0 }
  const proxy = createServer(near => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    near.pipe(far)
    far.on('data', bytes => setTimeout(() => near.write(bytes), settings.delayMs))
    far.on('close', () => near.destroy())
    near.on('close', () => far.destroy())
  })
  const own = await listenOnFreePort(proxy)
  return Object.assign(settings, {
    url: `redis://127.0.0.1:${own}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => proxy.close(resolve))
    },
  })
}
