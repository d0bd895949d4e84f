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
      await store.set('k:1', bytes('one'), { ttlMs: 100 })
      await advance(99)
      expect(await store.get('k:1')).not.toBeNull()
      await advance(2)
      expect(await store.get('k:1')).toBeNull()
      await store.close()
    })

    test('keys lists one prefix only', async () => {
      const { store } = await open()
      for (const key of ['a:1', 'a:2', 'b:1']) await store.set(key, bytes(key))
      expect((await Array.fromAsync(store.keys('a:'))).sort()).toEqual(['a:1', 'a:2'])
      await store.close()
    })

    test('add counts from nothing and downwards', async () => {
      const { store } = await open()
      expect(await store.add('n', 3)).toBe(3)
      expect(await store.add('n', -1)).toBe(2)
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
  })
}
