import { describe, expect, test } from 'bun:test'
import type { Answer } from '../kept.ts'
import type { Limits } from '../memory/memory.ts'
import type { Shelf } from '../shelf.ts'
import { answerOf, any, bodyOf, headOf, keyOf, roomy } from './testing/answers.ts'

/** A shelf whose clock the suite can move. */
export interface ShelfUnderTest {
  readonly shelf: Shelf
  readonly advance: (ms: number) => void
}

/**
 * What every shelf must do. Call it from the implementation's own test file. `settle` is what makes sure that an answer can
 * be found; nothing, where they are found at once.
 */
export function testShelf(
  name: string,
  open: (limits: Limits) => Promise<ShelfUnderTest>,
  settle: (shelf: Shelf) => unknown = shelf => shelf.flush(),
): void {
  describe(`${name} keeps the shelf contract`, () => {
    const opened = async (limits: Partial<Limits> = {}) => {
      const { shelf, advance } = await open({ ...roomy, ...limits })
      const get = async (key: string | number, maxAgeMs = any) => {
        expect(await shelf.fresh('m')).toBe(true)
        return shelf.get(keyOf(key), maxAgeMs)
      }
      const set = async (key: string | number, answer: Answer) => {
        shelf.set(keyOf(key), answer)
        await settle(shelf)
      }
      const has = async (key: string | number) => (await get(key)) !== undefined
      return { shelf, advance, get, set, has, [Symbol.asyncDispose]: async () => shelf.close() }
    }

    test('an answer comes back as it was, whatever its length', async () => {
      await using on = await opened()
      const lengths = [0, 1, 500, 8192, 65_536, 262_143, 262_144, 262_145, 3_000_000]
      for (const length of lengths) await on.set(length, answerOf('m', length, length))
      for (const length of lengths) {
        const found = await on.get(length)
        expect(found?.head).toEqual(headOf())
        expect(Buffer.compare(found?.body ?? Buffer.from('none'), bodyOf(length, length))).toBe(0)
      }
      expect(await on.get('other')).toBeUndefined()
    })

    test('so does its head', async () => {
      await using on = await opened()
      const heads = [
        headOf({ form: 'events', contentType: 'text/event-stream; charset=utf-8', tokens: 0, tookMs: 12_345.678 }),
        ...['héllo 世界 🙂', 'a "quoted\\ name\0', '\ud800', '', 'x'.repeat(10_000)].map(model => headOf({ model })),
      ]
      for (const [at, head] of heads.entries()) await on.set(at, { head, body: bodyOf(5) })
      for (const [at, head] of heads.entries()) expect((await on.get(at))?.head).toEqual(head)
    })

    test('what is given out is a copy', async () => {
      await using on = await opened()
      await on.set('a', answerOf())
      ;(await on.get('a'))?.body.fill(0)
      expect(new Uint8Array((await on.get('a'))?.body ?? [])).toEqual(bodyOf(10))
    })

    test('a newer answer takes the place of the one before', async () => {
      await using on = await opened()
      await on.set('a', answerOf('m', 300_000))
      await on.set('a', answerOf('n', 10, 3))
      const found = await on.get('a')
      expect([found?.head.model, new Uint8Array(found?.body ?? [])]).toEqual(['n', bodyOf(10, 3)])
    })

    test('it is as old as it is, and no older than asked', async () => {
      await using on = await opened()
      await on.set('a', answerOf())
      on.advance(2500)
      await on.set('b', { ...answerOf(), ageMs: 1000 } as Answer)
      expect(await on.get('a', 2500)).toBeUndefined()
      expect(await on.get('a', 2501)).toMatchObject({ ageMs: 2500 })
      expect(await on.get('b', 1001)).toMatchObject({ ageMs: 1000 })
      expect(await on.get('b', 0)).toBeUndefined()
      on.advance(-10_000) // somebody set the clock back
      expect(await on.get('a')).toMatchObject({ ageMs: 0 })
    })

    test('it is gone when its time is over, also when that was made shorter', async () => {
      await using on = await opened({ ttlMs: 10_000 })
      await on.set('a', answerOf())
      await on.set('older', { ...answerOf(), ageMs: 5000 } as Answer)
      on.advance(4999)
      expect([await on.has('a'), await on.has('older')]).toEqual([true, true])
      on.advance(1)
      expect([await on.has('a'), await on.has('older')]).toEqual([true, false])
      on.shelf.limit({ ...roomy, ttlMs: 5000 })
      expect(await on.has('a')).toBe(false)
      await on.set('b', answerOf())
      expect(await on.has('b')).toBe(true)
    })

    test('where nothing may be kept nothing is', async () => {
      await using on = await opened({ maxEntries: 0, maxBytes: 0, ttlMs: 0 })
      await on.set('a', answerOf())
      expect(await on.has('a')).toBe(false)
      on.shelf.limit(roomy)
      await on.set('a', answerOf())
      expect(await on.has('a')).toBe(true)
    })

    test('one model can be cleared', async () => {
      await using on = await opened()
      for (const [at, model] of ['one', 'two', 'one', 'zwei'].entries()) await on.set(at, answerOf(model, at === 2 ? 600_000 : 10))
      expect([undefined, 2]).toContain(await on.shelf.clear('one'))
      expect(await Promise.all([0, 1, 2, 3].map(on.has))).toEqual([false, true, false, true])
      await on.set(0, answerOf('one'))
      expect(await on.has(0)).toBe(true)
      expect([undefined, 0]).toContain(await on.shelf.clear('three'))
      expect([undefined, 1]).toContain(await on.shelf.clear('one'))
      expect(await Promise.all([0, 1, 2, 3].map(on.has))).toEqual([false, true, false, true])
    })

    test('everything can be cleared', async () => {
      await using on = await opened()
      for (const name of ['a', 'b', 'a']) await on.set(name, answerOf(name))
      expect([undefined, 2]).toContain(await on.shelf.clear())
      expect([await on.has('a'), await on.has('b')]).toEqual([false, false])
      await on.set('a', answerOf())
      expect(await on.has('a')).toBe(true)
      expect([undefined, 1]).toContain(await on.shelf.clear())
      expect(await on.has('a')).toBe(false)
    })

    test('when it is closed it does nothing', async () => {
      await using on = await opened()
      await on.set('a', answerOf())
      await Promise.all([on.shelf.close(), on.shelf.close()])
      on.shelf.set(keyOf('b'), answerOf())
      on.shelf.touch(keyOf('a'))
      on.shelf.limit(roomy)
      await on.shelf.flush()
      await on.shelf.fresh('m')
      expect(await on.shelf.clear()).toBeUndefined()
      expect(await on.shelf.clear('m')).toBeUndefined()
      expect(await on.shelf.get(keyOf('a'), any)).toBeUndefined()
    })
  })
}
