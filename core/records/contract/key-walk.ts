import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../testing/random.ts'
import { openKeyIndex } from '../key-index.ts'
import type { KeyRecord, KeySettings } from '../keys.ts'
import { admin, allKeys, keySettings, type OpenRecords, storedSecret, wholeAudit } from './under-test.ts'

/** Random changes, compared with a plain list after each; an index follows them. */
export function testKeyWalk(open: OpenRecords, { walks, steps }: { readonly walks: number; readonly steps: number }): void {
  describe('random changes of keys', () => {
    test.each(Array.from({ length: walks }, (_, at) => at + 1))('walk %d', async seed => {
      const { records, now, advance } = await open()
      const random = seededRandom(seed)
      const below = (limit: number) => Math.floor(random() * limit)
      const pick = <T>(all: readonly T[]) => all[below(all.length)] as T
      const model = new Map<number, KeyRecord>()
      const index = await openKeyIndex(records.keys, { now })
      let secrets = 0
      let lastId = 0
      let changes = 0

      const change = (): Partial<KeySettings> => ({
        ...(random() < 0.5 && { name: pick(['alpha', 'Beta', 'ÄÖ', '']) }),
        ...(random() < 0.3 && { enabled: random() < 0.5 }),
        ...(random() < 0.3 && { quota: pick([null, 0, 5, 2 ** 53 - 1]) }),
        ...(random() < 0.3 && { allowedModels: pick([[], ['a'], ['a', 'b']]) }),
        ...(random() < 0.3 && { allowedEndpoints: pick([null, [], ['x']]) }),
        ...(random() < 0.3 && { expiresAt: pick([null, now() + below(100)]) }),
      })
      /** The id of a key that is there, mostly, and a version that is right, mostly. */
      const target = () => {
        const id = random() < 0.9 && model.size > 0 ? pick([...model.keys()]) : below(lastId + 2)
        const right = model.get(id)?.version ?? 1
        return [id, pick([undefined, right, right, right - 1])] as const
      }
      const expected = (id: number, version: number | undefined) => {
        const key = model.get(id)
        if (!key) return 'missing'
        return version !== undefined && version !== key.version ? 'conflict' : key
      }

      for (let step = 0; step < steps; step++) {
        advance(below(20))
        const act = below(10)
        const [id, version] = target()
        const before = expected(id, version)
        if (act < 3) {
          const settings = keySettings(change())
          const key = await records.keys.create(settings, storedSecret(++secrets), admin)
          expect(key.id).toBeGreaterThan(lastId)
          expect(key).toMatchObject({ ...settings, ...storedSecret(secrets), version: 1, createdAt: now() })
          model.set(key.id, key)
          lastId = key.id
          changes++
        } else if (act < 6) {
          const wanted = change()
          const result = await records.keys.update(id, wanted, admin, version)
          if (typeof before === 'string') expect(result).toBe(before)
          else {
            const changed = !Bun.deepEquals({ ...before, ...wanted }, before)
            const after = changed ? { ...before, ...wanted, version: before.version + 1 } : before
            expect(result).toEqual(after)
            model.set(id, after)
            if (changed) changes++
          }
        } else if (act < 7) {
          const graceUntil = pick([null, now() + below(60)])
          const result = await records.keys.rotate(id, storedSecret(++secrets), graceUntil, admin, version)
          if (typeof before === 'string') expect(result).toBe(before)
          else {
            const previousSha256 = graceUntil === null ? null : before.sha256
            const after = { ...before, ...storedSecret(secrets), previousSha256, graceUntil, version: before.version + 1 }
            expect(result).toEqual(after)
            model.set(id, after)
            changes++
          }
        } else if (act < 8) {
          expect(await records.keys.delete(id, admin, version)).toEqual(before)
          if (typeof before !== 'string') {
            model.delete(id)
            changes++
          }
        } else if (act < 9) {
          await records.keys.used(new Map([[id, now()]]))
          const key = model.get(id)
          if (key) model.set(id, { ...key, lastUsedAt: now() })
        } else {
          const search = pick(['', 'a', 'BETA', 'ä', 'zz', storedSecret(1 + below(secrets + 1)).prefix])
          const [after, limit] = [below(lastId + 1), 1 + below(5)]
          const found = [...model.values()].filter(key => key.name.toLowerCase().includes(search.toLowerCase()) || key.prefix === search)
          const rest = found.filter(key => key.id > after)
          expect(await records.keys.list({ search, after, limit })).toEqual({
            rows: rest.slice(0, limit),
            next: rest.length > limit ? (rest[limit - 1]?.id as number) : null,
            total: found.length,
          })
        }

        const secret = 1 + below(secrets + 1)
        const { sha256 } = storedSecret(secret)
        const owner = [...model.values()].find(
          key => key.sha256 === sha256 || (key.previousSha256 === sha256 && now() < (key.graceUntil as number)),
        )
        expect(index.find(Uint8Array.fromHex(sha256))?.id).toBe(owner?.id as number)
        if (owner) {
          const standing = !owner.enabled ? 'disabled' : owner.expiresAt !== null && owner.expiresAt <= now() ? 'expired' : 'valid'
          expect(index.standing(index.get(owner.id) as NonNullable<ReturnType<typeof index.get>>)).toBe(standing)
        }
        expect(index.size).toBe(model.size)
      }
      expect(await allKeys(records)).toEqual([...model.values()])
      const audit = await wholeAudit(records)
      expect(audit).toHaveLength(changes)
      index.close()
    })
  })
}
