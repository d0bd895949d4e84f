import { describe, expect, test } from 'bun:test'
import type { Lease, Leases } from '../leases.ts'

/** Leases for the suite; each opening starts with nothing held. */
export interface LeasesUnderTest extends AsyncDisposable {
  readonly leases: Leases
  /** Resolves when what was released is known wherever it must be. */
  settled(): Promise<void>
}

/** What every implementation must do. Call it from its own test file. */
export function testLeases(name: string, open: () => Promise<LeasesUnderTest>): void {
  describe(`${name} keeps the contract of leases`, () => {
    const take = async ({ leases }: LeasesUnderTest, key: string, limit: number): Promise<Lease | undefined> => {
      const answer = await leases.take(key, limit)
      return answer.granted ? answer.lease : undefined
    }

    test('as many are granted as the limit says, and a released one can be taken again', async () => {
      await using opened = await open()
      const { leases } = opened
      const first = await leases.take('a', 2)
      expect(first).toMatchObject({ granted: true, held: 1 })
      expect(await leases.take('a', 2)).toMatchObject({ granted: true, held: 2 })
      expect(await leases.take('a', 2)).toEqual({ granted: false, held: 2 })
      if (first.granted) first.lease.release()
      await opened.settled()
      expect(await leases.take('a', 2)).toMatchObject({ granted: true, held: 2 })
      expect(await leases.take('a', 2)).toEqual({ granted: false, held: 2 })
    })

    test('to release twice is to release once', async () => {
      await using opened = await open()
      const first = await take(opened, 'a', 3)
      await take(opened, 'a', 3)
      await take(opened, 'a', 3)
      first?.release()
      first?.release()
      await opened.settled()
      expect(await take(opened, 'a', 3)).toBeDefined()
      expect(await take(opened, 'a', 3)).toBeUndefined()
    })

    test('keys are apart, and any text is one', async () => {
      await using opened = await open()
      for (const key of ['a', 'b', '', '*', 'héllo 世界 🙂\n']) {
        expect(await take(opened, key, 1)).toBeDefined()
        expect(await take(opened, key, 1)).toBeUndefined()
      }
    })

    test('no place at all is refused; a limit that changes counts at once', async () => {
      await using opened = await open()
      expect(await opened.leases.take('a', 0)).toEqual({ granted: false, held: 0 })
      const held = [await take(opened, 'a', 3), await take(opened, 'a', 3), await take(opened, 'a', 3)]
      expect(await opened.leases.take('a', 2)).toEqual({ granted: false, held: 3 })
      for (const lease of held.slice(0, 2)) lease?.release()
      await opened.settled()
      expect(await opened.leases.take('a', 2)).toMatchObject({ granted: true, held: 2 })
    })

    test('of many at once exactly as many pass as there are places, over and over', async () => {
      await using opened = await open()
      for (const limit of [1, 7, 100]) {
        const taken = await Promise.all(Array.from({ length: 300 }, () => take(opened, 'race', limit)))
        const granted = taken.filter(lease => lease !== undefined)
        expect(granted).toHaveLength(limit)
        for (const lease of granted) lease.release()
        await opened.settled()
      }
    })

    test('random takes and releases agree with a count', async () => {
      await using opened = await open()
      const held = new Map<string, Lease[]>()
      for (let step = 0; step < 400; step++) {
        const key = `k${Math.floor(Math.random() * 4)}`
        const own = held.get(key) ?? []
        held.set(key, own)
        if (Math.random() < 0.45 && own.length > 0) {
          own.splice(Math.floor(Math.random() * own.length), 1)[0]?.release()
          await opened.settled()
          continue
        }
        const limit = Math.floor(Math.random() * 6)
        const answer = await opened.leases.take(key, limit)
        expect(answer.granted).toBe(own.length < limit)
        if (answer.granted) own.push(answer.lease)
        expect(answer.held).toBe(own.length)
      }
    })
  })
}
