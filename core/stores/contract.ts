import { describe, expect, test } from 'bun:test'
import type { Store } from './store.ts'

/** A store whose clock the suite can move. */
export interface StoreUnderTest {
  readonly store: Store
  readonly advance: (ms: number) => void | Promise<void>
}

const bytes = (text: string) => new TextEncoder().encode(text)

/** What every store must do. Call it from the implementation's own test file. */
export function testStore(name: string, open: () => StoreUnderTest | Promise<StoreUnderTest>): void {
  describe(`${name} keeps the store contract`, () => {
    test('a value comes back, is replaced, and is gone after delete', async () => {
      const { store } = await open()
      expect(await store.get('k:1')).toBeNull()
      await store.set('k:1', bytes('one'))
      await store.set('k:1', bytes('two'))
      expect(await store.get('k:1')).toEqual(bytes('two'))
      expect(await store.delete('k:1')).toBe(true)
      expect(await store.delete('k:1')).toBe(false)
      expect(await store.get('k:1')).toBeNull()
      await store.close()
    })

    test('a value with a ttl vanishes', async () => {
      const { store, advance } = await open()
      await store.set('k:1', bytes('one'), { ttlMs: 10_000.5 })
      await advance(9_000) // a server's own clock goes on meanwhile, so this is not the last moment
      expect(await store.get('k:1')).not.toBeNull()
      expect(await Array.fromAsync(store.keys('k:'))).toEqual(['k:1'])
      await advance(1_001)
      expect(await store.get('k:1')).toBeNull()
      expect(await Array.fromAsync(store.keys('k:'))).toEqual([])
      await store.close()
    })

    test('a value whose time is over already takes the place of the one before', async () => {
      const { store } = await open()
      for (const ttlMs of [0, -1, Number.NaN]) {
        await store.set('k:1', bytes('one'))
        await store.set('k:1', bytes('two'), { ttlMs })
        expect(await store.get('k:1')).toBeNull()
      }
      await store.set('k:1', bytes('one'), { ttlMs: Number.POSITIVE_INFINITY })
      expect(await store.get('k:1')).toEqual(bytes('one'))
      await store.close()
    })

    test('a new value has its own ttl, or none', async () => {
      const { store, advance } = await open()
      await store.set('k:1', bytes('one'), { ttlMs: 1_000 })
      await store.set('k:1', bytes('two'))
      await advance(100_000)
      expect(await store.get('k:1')).toEqual(bytes('two'))
      await store.close()
    })

    test('bytes come back as they were: none, every one, a megabyte', async () => {
      const { store } = await open()
      const every = Uint8Array.from({ length: 256 }, (_, byte) => byte)
      const many = Uint8Array.from({ length: 1024 * 1024 }, (_, at) => (at * 31 + (at >> 8)) % 256)
      for (const value of [new Uint8Array(0), every, many, every.subarray(100, 200)]) {
        await store.set('k', value)
        expect(await store.get('k')).toEqual(value)
      }
      await store.close()
    })

    test('any text is a key', async () => {
      const { store } = await open()
      const names = ['héllo 世界 🙂', 'a b\r\nc', '*', '', 'a:*', 'a:[b]', 'a:?', 'a:\\', `long:${'x'.repeat(10_000)}`]
      for (const name of names) await store.set(name, bytes(name))
      for (const name of names) expect(await store.get(name)).toEqual(bytes(name))
      expect((await Array.fromAsync(store.keys(''))).sort()).toEqual([...names].sort())
      expect(await Array.fromAsync(store.keys('héllo 世'))).toEqual(['héllo 世界 🙂'])
      await store.close()
    })

    test('keys lists one prefix only', async () => {
      const { store } = await open()
      for (const key of ['a:1', 'a:2', 'b:1']) await store.set(key, bytes(key))
      expect((await Array.fromAsync(store.keys('a:'))).sort()).toEqual(['a:1', 'a:2'])
      await store.close()
    })

    test('a prefix is no pattern', async () => {
      const { store } = await open()
      const oneOfEach = { 'a*': 'a*1', 'a?': 'a?1', 'a[b]': 'a[b]1', 'a\\': 'a\\1' }
      for (const key of ['ab1', ...Object.values(oneOfEach)]) await store.set(key, bytes(key))
      for (const [prefix, key] of Object.entries(oneOfEach)) expect(await Array.fromAsync(store.keys(prefix))).toEqual([key])
      await store.close()
    })

    test('keys names each of many once', async () => {
      const { store } = await open()
      const names = Array.from({ length: 3000 }, (_, at) => `many:${at}`)
      await Promise.all(names.map(name => store.set(name, bytes(name))))
      expect((await Array.fromAsync(store.keys('many:'))).sort()).toEqual([...names].sort())
      await store.close()
    })

    test('a value, a counter and a bucket may share a name', async () => {
      const { store } = await open()
      await store.set('x', bytes('one'))
      expect(await store.add('x', 2)).toBe(2)
      expect((await store.take('x', { perMinute: 60, burst: 1 })).allowed).toBe(true)
      expect(await store.get('x')).toEqual(bytes('one'))
      expect(await Array.fromAsync(store.keys(''))).toEqual(['x'])
      expect(await store.delete('x')).toBe(true)
      expect(await store.add('x', 1)).toBe(3)
      expect((await store.take('x', { perMinute: 60, burst: 1 })).allowed).toBe(false)
      await store.close()
    })

    test('add counts from nothing and downwards', async () => {
      const { store } = await open()
      expect(await store.add('n', 3)).toBe(3)
      expect(await store.add('n', -1)).toBe(2)
      expect(await store.add('n', 0.5)).toBe(2.5)
      expect(await store.add('n', -2.5)).toBe(0)
      expect(await store.add('big', 2 ** 52)).toBe(2 ** 52)
      expect(await store.add('big', 1)).toBe(2 ** 52 + 1)
      await store.close()
    })

    test('of many who add at once none is lost', async () => {
      const { store } = await open()
      const values = await Promise.all(Array.from({ length: 500 }, async () => store.add('n', 1)))
      expect([...values].sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, at) => at + 1))
      await store.close()
    })

    test('a bucket gives its burst, refuses, and drains', async () => {
      const { store, advance } = await open()
      const bucket = { perMinute: 60, burst: 2 }
      expect(await store.take('b', bucket)).toMatchObject({ allowed: true, remaining: 1 })
      expect(await store.take('b', bucket)).toMatchObject({ allowed: true, remaining: 0 })
      expect(await store.take('b', bucket)).toEqual({ allowed: false, retryAfterMs: 1000 })
      await advance(999)
      expect((await store.take('b', bucket)).allowed).toBe(false)
      await advance(1)
      expect((await store.take('b', bucket)).allowed).toBe(true)
      expect((await store.take('other', bucket)).allowed).toBe(true)
      await store.close()
    })

    test('a refused take takes nothing, and cost counts', async () => {
      const { store, advance } = await open()
      const bucket = { perMinute: 60, burst: 10 }
      expect((await store.take('b', bucket, 8)).allowed).toBe(true)
      expect(await store.take('b', bucket, 4)).toEqual({ allowed: false, retryAfterMs: 2000 })
      expect((await store.take('b', bucket, 2)).allowed).toBe(true)
      await advance(10_000)
      expect(await store.take('b', bucket, 10)).toMatchObject({ allowed: true, remaining: 0, resetMs: 10_000 })
      await store.close()
    })

    test('of many who take at once as many get as there is room for', async () => {
      const { store } = await open()
      const taken = await Promise.all(Array.from({ length: 200 }, async () => store.take('b', { perMinute: 1, burst: 37 })))
      expect(taken.filter(({ allowed }) => allowed)).toHaveLength(37)
      await store.close()
    })

    test('what is given back can be taken again, and no more than was taken', async () => {
      const { store, advance } = await open()
      const bucket = { perMinute: 60, burst: 10 }
      await store.take('b', bucket, 8)
      expect(await store.giveBack('b', bucket, 5)).toEqual({ remaining: 7, resetMs: 3000 })
      expect(await store.take('b', bucket, 8)).toEqual({ allowed: false, retryAfterMs: 1000 })
      expect(await store.take('b', bucket, 7)).toMatchObject({ allowed: true, remaining: 0 })
      await advance(4000)
      expect(await store.giveBack('b', bucket, 100)).toEqual({ remaining: 10, resetMs: 0 })
      expect(await store.take('b', bucket, 10)).toMatchObject({ allowed: true, remaining: 0 })
      expect(await store.giveBack('untouched', bucket, 3)).toEqual({ remaining: 10, resetMs: 0 })
      await store.close()
    })

    test('to give back less than nothing takes beyond the burst, and that must drain first', async () => {
      const { store, advance } = await open()
      const bucket = { perMinute: 60, burst: 10 }
      await store.take('b', bucket, 9)
      expect(await store.giveBack('b', bucket, -6)).toEqual({ remaining: 0, resetMs: 15_000 })
      expect(await store.take('b', bucket)).toEqual({ allowed: false, retryAfterMs: 6000 })
      await advance(6000)
      expect((await store.take('b', bucket)).allowed).toBe(true)
      await store.close()
    })

    test('of many who take and give back at once nothing is lost', async () => {
      const { store } = await open()
      const bucket = { perMinute: 0, burst: 1000 }
      await Promise.all(
        Array.from({ length: 300 }, async (_, at) => {
          if ((await store.take('b', bucket, 3)).allowed) await store.giveBack('b', bucket, at % 3)
        }),
      )
      expect(await store.giveBack('b', bucket, 0)).toMatchObject({ remaining: 1000 - 600 })
      await store.close()
    })

    test('a bucket without drain fills once; one without room gives nothing', async () => {
      const { store, advance } = await open()
      expect((await store.take('b', { perMinute: 0, burst: 1 })).allowed).toBe(true)
      await advance(1_000_000)
      const refused = { allowed: false, retryAfterMs: Number.POSITIVE_INFINITY } as const
      expect(await store.take('b', { perMinute: 0, burst: 1 })).toEqual(refused)
      expect(await store.take('none', { perMinute: 0, burst: 0 })).toEqual(refused)
      await store.close()
    })

    test('a bucket whose limits change keeps what is in it', async () => {
      const { store } = await open()
      expect((await store.take('b', { perMinute: 60, burst: 10 }, 10)).allowed).toBe(true)
      expect(await store.take('b', { perMinute: 120, burst: 5 })).toEqual({ allowed: false, retryAfterMs: 3000 })
      expect(await store.take('b', { perMinute: 60, burst: 12 }, 2)).toMatchObject({ allowed: true, remaining: 0, resetMs: 12_000 })
      await store.close()
    })
  })
}
